"""The owner's duties and the commands that it carries out: one line each.

Process: whatsapp.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from services.commands import CommandDesk, Handler
from services.conversations import ConversationCommands, project_conversation
from services.messages import MESSAGES, MessageCommands, project_message
from services.store import COMMANDS, NOTIFICATIONS, Event, Write
from services.whatsapp.court import Court
from services.whatsapp.intake import Intake
from services.whatsapp.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Duty:
    """Something the owner does again and again. ``step`` answers how much it did; 0 lets it wait.

    It is woken by an insert into ``inbox`` (None: by the clock alone), and looks by itself after ``poll_s`` seconds.
    """

    name: str
    step: Callable[[], Awaitable[int]]
    inbox: str | None = None
    poll_s: float = 1.0


INBOXES = (MESSAGES, NOTIFICATIONS, COMMANDS)


def project(event: Event) -> list[Write]:
    """Every noun's writes for one event."""
    return project_message(event) + project_conversation(event)


def outboxes(court: Court) -> list[Outbox]:
    """One reader a number."""
    return [
        Outbox(
            number.phone_number_id,
            repository=court.messages,
            journal=court.journal,
            ledger=court.ledger,
            lanes=court.lanes,
            directory=court.directory,
            dispatcher=court.dispatcher,
            clock=court.clock,
        )
        for number in court.numbers
    ]


def handlers(court: Court) -> Mapping[str, Handler]:
    """Who carries out which command."""
    messages = MessageCommands(
        ledger=court.ledger, repository=court.messages, dispatcher=court.dispatcher, clock=court.clock
    )
    conversations = ConversationCommands(court.database, court.clock)
    return {
        "message.cancel": messages.cancel,
        "message.retry": messages.retry,
        "conversation.read": conversations.read,
    }


def duties(court: Court, readers: list[Outbox]) -> list[Duty]:
    """Everything that runs side by side during a reign."""
    intake = Intake(
        database=court.database,
        journal=court.journal,
        ledger=court.ledger,
        directory=court.directory,
        repository=court.messages,
        dispatcher=court.dispatcher,
        clock=court.clock,
    )
    desk = CommandDesk(court.database, court.journal, court.clock, handlers=handlers(court))

    async def load_all() -> int:
        return sum([await reader.load() for reader in readers])

    return [
        Duty("outbox", load_all, MESSAGES),
        Duty("intake", intake.ingest_new, NOTIFICATIONS),
        Duty("desk", desk.step, COMMANDS),
    ]
