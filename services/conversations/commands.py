"""What an agent may do to a conversation.

Process: whatsapp.
"""

from typing import Any

from config.clock import Clock
from config.errors import RequestRefused
from services.commands import Command, Outcome
from services.conversations.records import Conversation
from services.conversations.repository import ConversationRepository
from services.store import Database, Fact


class ConversationCommands:
    """Handlers of ``conversation.*`` commands. Repeating one changes nothing more."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._repository = ConversationRepository(database)
        self._clock = clock

    async def update(self, command: Command) -> Outcome:
        """Another assignee, other labels, open or closed: only what is given, and only what changes."""
        conversation = await self._found(command)
        now = {
            "assignee": conversation.assignee,
            "labels": list(conversation.labels),
            "status": "open" if conversation.is_open else "closed",
        }
        changes = {name: command.data[name] for name in now if name in command.data}
        changes = {name: value for name, value in changes.items() if value != now[name]}
        result: dict[str, Any] = {"id": conversation.id, **now, **changes}
        if not changes:
            return Outcome(result)
        data = {"conversation_id": conversation.id, **changes, "by": command.by}
        return Outcome(result, facts=[self._fact("conversation.updated", conversation, data)])

    async def note(self, command: Command) -> Outcome:
        """A note for colleagues. Its id comes with the command, so a repetition writes the same one."""
        conversation = await self._found(command)
        data = {name: command.data[name] for name in ("note_id", "order", "text", "by_name")}
        data |= {"conversation_id": conversation.id, "by": command.by}
        return Outcome({"id": data["note_id"]}, facts=[self._fact("conversation.noted", conversation, data)])

    def _fact(self, kind: str, conversation: Conversation, data: dict[str, Any]) -> Fact:
        return Fact(kind, conversation.phone_number_id, self._clock.now(), data, conversation.id)

    async def _found(self, command: Command) -> Conversation:
        conversation = await self._repository.get(str(command.data.get("conversation_id", "")))
        if conversation is None:
            raise RequestRefused("There is no such conversation.", code="not_found")
        return conversation

    async def read(self, command: Command) -> Outcome:
        """Everything in it has been read by an agent."""
        conversation = await self._found(command)
        result = {"id": conversation.id, "unread_count": 0}
        if conversation.unread_count == 0:
            return Outcome(result)
        data = {"conversation_id": conversation.id, "by": command.by}
        return Outcome(result, facts=[self._fact("conversation.read", conversation, data)])
