"""Records of one term of the owner: what its background tasks may use, and what a background task is.

Process: whatsapp.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from config.clock import Clock
from config.settings import Settings
from services.campaigns import CampaignState
from services.contacts import ContactEditor, ContactState
from services.conversations import ConversationState
from services.events import EventWriter
from services.graph import GraphAccess
from services.links import Link
from services.media import MediaForSending, MediaRepository
from services.messages import MessageRepository, MessageState
from services.numbers import Number, NumberState
from services.sending import Consents, Dispatcher, Lanes, RateLimiter
from services.store import BatchDelay, Blobs, ChangeNotifier, Database, Lease
from services.telemetry.scoreboard import Scoreboard
from services.vault import SecretBox


@dataclass(frozen=True, slots=True)
class OwnerContext:
    """State, clients and the event writer of one term. Nothing in ``*_state`` or ``lanes`` outlives it."""

    settings: Settings
    database: Database
    box: SecretBox
    session: aiohttp.ClientSession
    lease: Lease
    change_notifier: ChangeNotifier
    clock: Clock
    numbers: list[Number]
    links: Mapping[str, Link]
    event_writer: EventWriter
    message_state: MessageState
    lanes: Lanes
    conversations: ConversationState
    dispatcher: Dispatcher
    rate_limiter: RateLimiter
    consents: Consents
    contact_state: ContactState
    contacts: ContactEditor
    campaigns: CampaignState
    messages: MessageRepository
    graph: GraphAccess
    media: MediaForSending
    media_records: MediaRepository
    blobs: Blobs
    number_state: NumberState
    scoreboard: Scoreboard | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the documents show everything that the last owner wrote to the log."""

    @property
    def number_ids(self) -> list[str]:
        """Every phone_number_id that this term keeps a log of, the default one first."""
        return [number.phone_number_id for number in self.numbers]


Step = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class BackgroundTask:
    """Something the owner does again and again. ``step`` returns how much it did; after 0 the task waits.

    An insert into the collection ``inbox`` wakes it (None: only time does). Without one it runs after ``poll_s`` s.
    ``is_thorough``: a step leaves no work, so the task waits after every step.
    ``delay``: the pause between steps that follow each other, so that each finds more to do.
    """

    name: str
    step: Step
    inbox: str | None = None
    poll_s: float = 1.0
    is_thorough: bool = False
    delay: BatchDelay | None = None
