"""Meta's reviewers: new templates are approved or rejected, now or after a while, and the account is notified.

Process: sandbox.
"""

import asyncio

from services.sandbox.wire.notifications import envelope
from services.sandbox.wire.shapes import Json
from services.sandbox.world.world import World

STATUSES = ("APPROVED", "REJECTED", "PENDING", "PAUSED", "DISABLED", "FLAGGED", "PENDING_DELETION")


class Reviews:
    """Decisions that lie in the future stand in the template itself, so a restarted sandbox still takes them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def load(self) -> None:
        self.forget()
        for template_id, template in self._world.templates.items():
            if template.get("decide_at") is not None:
                self._later(template_id, max(0.0, template["decide_at"] - self._world.now()))

    def forget(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def submit(self, template: Json) -> None:
        """Keep a new or changed template as PENDING and let it be reviewed."""
        settings = self._world.settings.now
        kept = {**template, "status": "PENDING"}
        if settings.template_verdict != "PENDING":
            kept["decide_at"] = self._world.now() + settings.approve_after_ms / 1000
        self._world.templates.put(template["id"], kept)
        if settings.template_verdict != "PENDING":
            self._later(template["id"], settings.approve_after_ms / 1000)

    def decide(self, template_id: str, status: str, *, reason: str = "NONE") -> Json | None:
        """Give a template this status and notify the account; None when there is no such template.

        Source: Meta, "message_template_status_update webhook"; the id is a number there.
        """
        world = self._world
        template = world.templates.get(template_id)
        if template is None:
            return None
        changed = {key: value for key, value in template.items() if key != "decide_at"}
        changed["status"] = status
        changed["rejected_reason"] = reason
        world.templates.put(template_id, changed)
        value = {
            "event": status,
            "message_template_id": int(template_id),
            "message_template_name": template["name"],
            "message_template_language": template["language"],
            "reason": reason,
            "message_template_category": template["category"],
        }
        event = envelope(template["waba"], "message_template_status_update", value, time_s=int(world.now()))
        world.notify(event, waba_id=template["waba"])
        return changed

    def _later(self, template_id: str, in_s: float) -> None:
        timer = asyncio.get_running_loop().call_later(in_s, self._due, template_id)
        known = self._timers.pop(template_id, None)
        if known is not None:
            known.cancel()
        self._timers[template_id] = timer

    def _due(self, template_id: str) -> None:
        self._timers.pop(template_id, None)
        verdict = self._world.settings.now.template_verdict
        if verdict == "REJECTED":
            self.decide(template_id, "REJECTED", reason="INVALID_FORMAT")
        else:
            self.decide(template_id, "APPROVED")
