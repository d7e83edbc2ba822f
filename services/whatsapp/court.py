"""What every duty of the owner may use during one reign.

Process: whatsapp.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from config.clock import Clock
from config.settings import Settings
from services.campaigns import CampaignBook
from services.cluster.board import Board
from services.contacts import ContactLedger, ContactRegister
from services.conversations import Directory
from services.graph import GraphAccess
from services.links import Link
from services.media import MediaForSending, MediaRepository
from services.messages import Consents, Dispatcher, Governor, Lanes, Ledger, MessageRepository
from services.numbers import Number, NumberBook
from services.store import Blobs, Database, Lease, Wakeup
from services.vault import SecretBox
from services.whatsapp.journal import Journal


@dataclass(frozen=True, slots=True)
class Court:
    """Records, clients and the journal of one reign. Nothing here outlives it."""

    settings: Settings
    database: Database
    box: SecretBox
    session: aiohttp.ClientSession
    lease: Lease
    wakeup: Wakeup
    clock: Clock
    numbers: list[Number]
    links: Mapping[str, Link]
    journal: Journal
    ledger: Ledger
    lanes: Lanes
    directory: Directory
    dispatcher: Dispatcher
    governor: Governor
    consents: Consents
    contact_ledger: ContactLedger
    contacts: ContactRegister
    campaigns: CampaignBook
    messages: MessageRepository
    graph: GraphAccess
    media: MediaForSending
    media_records: MediaRepository
    blobs: Blobs
    number_book: NumberBook
    board: Board | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the documents show what the last owner left in the log."""

    @property
    def number_ids(self) -> list[str]:
        """Every phone_number_id that this reign keeps a log of, the default one first."""
        return [number.phone_number_id for number in self.numbers]
