"""What an operator may do to a number: let it rest, let it go on.

Process: whatsapp.
"""

from collections.abc import Callable
from typing import Protocol

from config.clock import Clock
from services.commands import Command, Outcome
from services.numbers.directory import UnknownNumber
from services.store import Fact


class SetPaused(Protocol):
    """Tells the governor."""

    def __call__(self, number: str, *, is_paused: bool) -> None:
        """Pause or resume a number."""
        ...


class NumberCommands:
    """Handlers of ``number.*`` commands. Repeating one changes nothing more."""

    def __init__(
        self, *, set_paused: SetPaused, is_known: Callable[[str], bool], nudge: Callable[[], None], clock: Clock
    ) -> None:
        """No input or output."""
        self._set_paused = set_paused
        self._is_known = is_known
        self._nudge = nudge
        self._clock = clock

    async def pause(self, command: Command) -> Outcome:
        """Nothing leaves from this number until it is resumed; messages are still accepted."""
        return self._change(command, is_paused=True)

    async def resume(self, command: Command) -> Outcome:
        """It goes on; holds of the platform are lifted too: the operator knows better."""
        return self._change(command, is_paused=False)

    def _change(self, command: Command, *, is_paused: bool) -> Outcome:
        number = str(command.data.get("phone_number_id", ""))
        if not self._is_known(number):
            raise UnknownNumber()
        self._set_paused(number, is_paused=is_paused)
        self._nudge()
        name = "number.paused" if is_paused else "number.resumed"
        data = {"by": command.by, "reason": command.data.get("reason")}
        return Outcome(
            {"phone_number_id": number, "is_paused": is_paused}, facts=[Fact(name, number, self._clock.now(), data)]
        )
