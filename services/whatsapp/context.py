"""What every background_task of the owner may use during one term.

Process: whatsapp.
"""

import asyncio
from collections.abc import Mapping
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
from services.store import Blobs, ChangeNotifier, Database, Lease
from services.telemetry.scoreboard import Scoreboard
from services.vault import SecretBox


@dataclass(frozen=True, slots=True)
class OwnerContext:
    """Records, clients and the event writer of one term. Nothing here outlives it."""

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
    """Set when the documents show what the last owner left in the log."""

    @property
    def number_ids(self) -> list[str]:
        """Every phone_number_id that this term keeps a log of, the default one first."""
        return [number.phone_number_id for number in self.numbers]
