"""What an operator may do to a number: let it rest, let it go on.

Process: whatsapp.
"""

from collections.abc import Callable
from typing import Protocol

from config.clock import Clock
from services.commands import Command, Outcome
from services.numbers.cache import UnknownNumber
from services.numbers.state import NumberState
from services.store import Fact


class SetPaused(Protocol):
    """Tells the rate_limiter."""

    def __call__(self, number: str, *, is_paused: bool) -> None:
        """Pause or resume a number."""
        ...


class ReleaseNumber(Protocol):
    """Tells the rate_limiter that a hold is over."""

    def __call__(self, number: str) -> bool:
        """Lift the hold of a number; False when there was none."""
        ...


class NumberCommands:
    """Handlers of ``number.*`` commands. Repeating one changes nothing more."""

    def __init__(
        self,
        state: NumberState,
        *,
        set_paused: SetPaused,
        release: ReleaseNumber,
        nudge: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._state = state
        self._set_paused = set_paused
        self._release = release
        self._nudge = nudge
        self._clock = clock

    async def pause(self, command: Command) -> Outcome:
        """Nothing leaves from this number until it is resumed; messages are still accepted."""
        return self._change(command, is_paused=True)

    async def resume(self, command: Command) -> Outcome:
        """It goes on; holds of the platform are lifted too: the operator knows better."""
        return self._change(command, is_paused=False)

    async def update(self, command: Command) -> Outcome:
        """Settings of its own, from now on: what is null is as the installation has it."""
        number, changes = self._number(command), dict(command.data["changes"])
        self._state.change(number, **changes)
        self._nudge()
        fact = Fact("number.settings_changed", number, self._clock.now(), {"by": command.by, **changes})
        return Outcome({"phone_number_id": number}, facts=[fact])

    def _number(self, command: Command) -> str:
        number = self._state.get(str(command.data.get("phone_number_id", "")))
        if number is None:
            raise UnknownNumber()
        return number.phone_number_id

    def _change(self, command: Command, *, is_paused: bool) -> Outcome:
        number = self._number(command)
        was_held = not is_paused and self._release(number)
        self._set_paused(number, is_paused=is_paused)
        self._nudge()
        name = "number.paused" if is_paused else "number.resumed"
        data = {"by": command.by, "reason": command.data.get("reason")}
        now = self._clock.now()
        facts = [Fact(name, number, now, data)]
        if was_held:
            facts.append(Fact("number.released", number, now, {"reason": "resumed", "by": command.by}))
        return Outcome({"phone_number_id": number, "is_paused": is_paused}, facts=facts)
