"""Commands about a stored message: cancel it, send it again, change its time.

Process: whatsapp.
"""

from collections.abc import Awaitable, Callable

from config.clock import Clock
from config.errors import RequestRefused
from services.commands import Command, Outcome
from services.messages import Message, MessageRepository, MessageState, MessageStatus, Tracked, WrongState, message_fact
from services.sending.dispatch import Dispatcher

_CANCELABLE = frozenset({MessageStatus.SCHEDULED, MessageStatus.QUEUED, MessageStatus.HELD, MessageStatus.UNCERTAIN})
_REPEATABLE = frozenset({MessageStatus.FAILED, MessageStatus.HELD, MessageStatus.UNCERTAIN, MessageStatus.EXPIRED})


class MessageCommands:
    """Handlers of ``message.*`` commands. All are idempotent."""

    def __init__(
        self,
        *,
        message_state: MessageState,
        repository: MessageRepository,
        dispatcher: Dispatcher,
        clock: Clock,
        load_recipient: Callable[[Message], Awaitable[None]],
    ) -> None:
        """``load_recipient`` loads what the send policy must know of a message's recipient."""
        self._load_recipient = load_recipient
        self._message_state = message_state
        self._repository = repository
        self._dispatcher = dispatcher
        self._clock = clock

    async def cancel(self, command: Command) -> Outcome:
        """Cancel a message that has not left. Raises ``WrongState`` when it is being sent or was sent."""
        tracked = await self._tracked(command)
        if tracked.status is MessageStatus.CANCELED:
            return Outcome({"id": tracked.id, "status": tracked.status.value})
        if tracked.status not in _CANCELABLE:
            raise WrongState(f"The message is {tracked.status.value}: it cannot be canceled any more.")
        tracked.status = MessageStatus.CANCELED
        self._dispatcher.drop(tracked)
        fact = message_fact(tracked, "message.canceled", {"by": command.by}, self._clock)
        return Outcome({"id": tracked.id, "status": tracked.status.value}, facts=[fact])

    async def retry(self, command: Command) -> Outcome:
        """Send a failed, held, expired or uncertain message again. Raises ``WrongState`` in another state."""
        tracked = await self._tracked(command)
        if tracked.status is MessageStatus.QUEUED:
            return Outcome({"id": tracked.id, "status": tracked.status.value})
        if tracked.status not in _REPEATABLE:
            raise WrongState(f"The message is {tracked.status.value}: there is nothing to send again.")
        message = await self._repository.get(tracked.id)
        if message is None:
            raise RequestRefused("There is no such message.", code="not_found")
        await self._load_recipient(message)
        if tracked.status not in _REPEATABLE:  # something else happened meanwhile
            return await self.retry(command)
        tracked.status = MessageStatus.QUEUED
        tracked.held_reason = tracked.held_until = None
        tracked.not_before = 0.0
        data = {"reason": "requested", "by": command.by}
        if tracked.wamid is not None:
            # A late status of the last attempt must not count for the next one.
            data["dead_wamid"] = tracked.dead_wamid = tracked.wamid
            tracked.wamid = None
        fact = message_fact(tracked, "message.retried", data, self._clock)
        self._dispatcher.offer(message)
        self._dispatcher.nudge()
        return Outcome({"id": tracked.id, "status": tracked.status.value}, facts=[fact])

    async def reschedule(self, command: Command) -> Outcome:
        """Change when a scheduled message is sent. Raises ``WrongState`` when it is not scheduled any more."""
        tracked = await self._tracked(command)
        if tracked.status is not MessageStatus.SCHEDULED:
            raise WrongState(f"The message is {tracked.status.value}: its time cannot be changed any more.")
        send_at = command.data["send_at"]
        data = {"send_at": send_at, "due_at": send_at, "by": command.by}
        fact = message_fact(tracked, "message.scheduled", data, self._clock)
        return Outcome({"id": tracked.id, "status": tracked.status.value}, facts=[fact])

    async def _tracked(self, command: Command) -> Tracked:
        message_id = str(command.data.get("message_id", ""))
        await self._message_state.load([message_id], [])
        tracked = self._message_state.get(message_id)
        if tracked is None:
            if await self._repository.get(message_id) is not None:
                raise WrongState("A customer wrote this message: it cannot be canceled, changed or sent again.")
            raise RequestRefused("There is no such message.", code="not_found")
        return tracked
