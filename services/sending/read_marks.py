"""Read marks and "typing…" for messages that customers wrote.

Process: whatsapp.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from config.clock import Clock
from config.errors import RequestRefused
from services.commands import Command, Outcome
from services.links import Link, NotSubmitted, OutcomeUnknown
from services.messages import Direction, MessageRepository
from services.store import Fact

TRIES: Final = 3
PAUSE_S: Final = 0.5


class ReadMarks:
    """Handler of the concurrent command ``message.mark_read``. Idempotent."""

    def __init__(self, *, repository: MessageRepository, link_of: Callable[[str], Link], clock: Clock) -> None:
        self._repository = repository
        self._link_of = link_of
        self._clock = clock

    async def mark_read(self, command: Command) -> Outcome:
        """Mark the message, and those before it, as read on the customer's phone; then in the conversation.

        Raises ``RequestRefused`` for a message that no customer wrote to this number, ``SendRefused``, and
        ``NotSubmitted`` or ``OutcomeUnknown`` when WhatsApp did not answer in several tries.
        """
        wamid, number = str(command.data.get("wamid", "")), str(command.data.get("phone_number_id", ""))
        message = (await self._repository.by_wamids([wamid])).get(wamid)
        if message is None or message.direction is not Direction.IN or message.phone_number_id != number:
            raise RequestRefused("No customer wrote a message with this id to this number.", code="not_found")
        await self._send(number, wamid, shows_typing=bool(command.data.get("shows_typing")))
        if message.conversation_id is None:
            return Outcome({"success": True})
        data = {"conversation_id": message.conversation_id, "wamid": wamid, "by": command.by}
        fact = Fact("conversation.read", number, self._clock.now(), data, message.conversation_id)
        return Outcome({"success": True}, facts=[fact])

    async def _send(self, number: str, wamid: str, *, shows_typing: bool) -> None:
        for is_last in (False,) * (TRIES - 1) + (True,):
            try:
                await self._link_of(number).mark_read(number, wamid, shows_typing=shows_typing)
            except (NotSubmitted, OutcomeUnknown):
                if is_last:
                    raise
                await asyncio.sleep(PAUSE_S)
            else:
                return
