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


class Directory:
    """Conversation ids by (number, contact). Only the owner opens conversations, so its memory is the truth."""

    def __init__(self, database: Database) -> None:
        """Empty."""
        self._database = database
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def ensure(
        self, contacts: Sequence[ContactRef], now: datetime
    ) -> tuple[dict[tuple[str, str], str], list[Fact]]:
        """The conversation id of each contact by ``(number, key)``, and the facts that open the new ones."""
        wanted = {(contact.phone_number_id, contact.key): contact for contact in contacts}
        answer: dict[tuple[str, str], str] = {}
        missing: dict[str, list[str]] = {}
        for place in wanted:
            known = self._known.get(place)
            if known is None:
                missing.setdefault(place[0], []).append(place[1])
            else:
                self._known.move_to_end(place)
                answer[place] = known
        for number, keys in missing.items():
            found = await self._database.find(
                CONVERSATIONS,
                {"number": number, "contact_key": {"$in": keys}},
                projection={"contact_key": 1},
                limit=len(keys),
            )
            for document in found:
                answer[number, document["contact_key"]] = document["_id"]
        facts = []
        for place, contact in wanted.items():
            if place not in answer:
                answer[place] = new_id("cnv")
                facts.append(_opened(contact, answer[place], now))
            self._known[place] = answer[place]
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
