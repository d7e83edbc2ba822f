"""From a numbered event to the guarded writes on numbers.

Process: whatsapp.
"""

from services.numbers.repository import NUMBERS
from services.store import Event, Write

_HOLD = ("hold_reason", "hold_until")
_TOLD = ("verified_name", "quality", "messaging_limit", "throughput")
_OWN_SETTINGS = ("rate_per_s", "daily_recipients", "quiet_hours")


def project_number(event: Event) -> list[Write]:
    """The writes on ``numbers`` that this event asks for."""
    if event.type == "number.paused":
        return [Write(NUMBERS, event.number, event.seq, set={"is_paused": True})]
    if event.type == "number.resumed":
        return [Write(NUMBERS, event.number, event.seq, set={"is_paused": False}, drop=_HOLD)]
    if event.type == "number.held":
        values = {"hold_reason": event.data["reason"], "hold_until": event.data["held_until"]}
        return [Write(NUMBERS, event.number, event.seq, set=values)]
    if event.type == "number.released":
        return [Write(NUMBERS, event.number, event.seq, drop=_HOLD)]
    if event.type in ("number.quality_changed", "number.limit_changed", "number.name_changed"):
        values = {name: event.data[name] for name in _TOLD if name in event.data}
        return [Write(NUMBERS, event.number, event.seq, set=values)] if values else []
    if event.type == "number.settings_changed":
        values = {name: event.data[name] for name in _OWN_SETTINGS if name in event.data}
        return [Write(NUMBERS, event.number, event.seq, set=values)]
    return []
