"""What an agent may do to a conversation.

Process: whatsapp.
"""

from config.clock import Clock
from config.errors import RequestRefused
from services.commands import Command, Outcome
from services.conversations.repository import ConversationRepository
from services.store import Database, Fact


class ConversationCommands:
    """Handlers of ``conversation.*`` commands. Repeating one changes nothing more."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """No input or output."""
        self._repository = ConversationRepository(database)
        self._clock = clock

    async def read(self, command: Command) -> Outcome:
        """Everything in it has been read by an agent."""
        conversation_id = str(command.data.get("conversation_id", ""))
        conversation = await self._repository.get(conversation_id)
        if conversation is None:
            raise RequestRefused("There is no such conversation.", code="not_found")
        if conversation.unread_count == 0:
            return Outcome({"id": conversation_id, "unread_count": 0})
        data = {"conversation_id": conversation_id, "by": command.by}
        fact = Fact("conversation.read", conversation.phone_number_id, self._clock.now(), data, conversation_id)
        return Outcome({"id": conversation_id, "unread_count": 0}, facts=[fact])
