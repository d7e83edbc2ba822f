"""Which conversation belongs to this contact? Known ones from memory or the database, new ones are opened.

Process: whatsapp.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from config.ids import new_id
from services.store import Database, Fact

CONVERSATIONS = "conversations"
MAX_KNOWN = 50_000
MAX_INITIATED = 100_000


@dataclass(frozen=True, slots=True)
class ContactRef:
    """A contact as one of our numbers sees it: a phone (``wa_id``), a business-scoped ``user_id``, or both."""

    phone_number_id: str
    wa_id: str | None
    user_id: str | None = None
    name: str | None = None

    @property
    def key(self) -> str:
        """What identifies the contact towards our number."""
        return f"wa:{self.wa_id}" if self.wa_id else f"user:{self.user_id}"


@dataclass(slots=True)
class Standing:
    """What the owner knows of a conversation: its id, when the customer last wrote, and how full its pair bucket is."""

    conversation_id: str
    last_inbound_at: datetime | None = None
    pair_tat: float | None = None


def pair_of(number: str, key: str) -> str:
    """A number and a contact key as the one indexed field that identifies a conversation."""
    return f"{number}:{key}"


Place = tuple[str, str]
"""A number and a contact key."""


class Directory:
    """Standings by (number, contact). Only the owner opens conversations, so its memory is the truth."""

    def __init__(self, database: Database) -> None:
        """Empty."""
        self._database = database
        self._known: OrderedDict[Place, Standing] = OrderedDict()

    def standing(self, number: str, key: str) -> Standing | None:
        """What is known of this pair, from memory alone; ``ensure`` brings it there."""
        return self._known.get((number, key))

    async def ensure(self, contacts: Sequence[ContactRef], now: datetime) -> tuple[dict[Place, Standing], list[Fact]]:
        """The standing of each contact by ``(number, key)``, and the facts that open new conversations.

        Record the facts before waiting for anything else: the directory counts on them.
        """
        await self.load(contacts)
        return self.open(contacts, now)

    async def load(self, contacts: Sequence[ContactRef]) -> None:
        """Read what the database knows of these contacts; nothing is opened. Raises ``Unavailable``."""
        missing: dict[str, list[str]] = {}
        for place in dict.fromkeys((contact.phone_number_id, contact.key) for contact in contacts):
            if place in self._known:
                self._known.move_to_end(place)
            else:
                missing.setdefault(place[0], []).append(place[1])
        for number, keys in missing.items():
            found = await self._database.find(
                CONVERSATIONS,
                {"pair": {"$in": [pair_of(number, key) for key in keys]}},
                projection={"contact_key": 1, "last_inbound_at": 1, "pair_tat": 1},
                limit=len(keys),
            )
            for document in found:
                # Another task may have been here while this one was reading: what it knows is newer.
                self._known.setdefault(
                    (number, document["contact_key"]),
                    Standing(document["_id"], document.get("last_inbound_at"), document.get("pair_tat")),
                )

    async def initiated(self, number: str, *, since: datetime) -> list[tuple[str, datetime]]:
        """Contacts that the daily limit counted after ``since``, oldest first, with when. Raises ``Unavailable``."""
        found = await self._database.find(
            CONVERSATIONS,
            {"number": number, "initiated_at": {"$gt": since}},
            projection={"contact_key": 1, "initiated_at": 1},
            sort=[("initiated_at", -1)],
            limit=MAX_INITIATED,
        )
        return [(document["contact_key"], document["initiated_at"]) for document in reversed(found)]

    def open(self, contacts: Sequence[ContactRef], now: datetime) -> tuple[dict[Place, Standing], list[Fact]]:
        """``ensure`` for contacts that were loaded just now: what is not known yet is new."""
        wanted = {(contact.phone_number_id, contact.key): contact for contact in contacts}
        facts = []
        for place, contact in wanted.items():
            if place not in self._known:
                self._known[place] = Standing(new_id("cnv"))
                facts.append(_opened(contact, self._known[place].conversation_id, now))
        answer = {place: self._known[place] for place in wanted}
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return answer, facts


def _opened(contact: ContactRef, conversation_id: str, now: datetime) -> Fact:
    data = {
        "conversation_id": conversation_id,
        "contact_key": contact.key,
        "wa_id": contact.wa_id,
        "user_id": contact.user_id,
        "name": contact.name,
    }
    return Fact("conversation.opened", contact.phone_number_id, now, data, conversation_id)
