"""One person under two addresses: a phone number and a user id on the same list are one recipient.

Process: whatsapp.

The list itself cannot know: addresses come together whenever WhatsApp names them together, also after the list was
made. So it is asked about when a page is handed over, and what is there already decides.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from services.campaigns.documents import recipient_id
from services.campaigns.records import Recipient
from services.campaigns.repository import CampaignRepository

SAME_PERSON: Final = "same_person"


class People(Protocol):
    """Who knows under which addresses people come."""

    async def load_keys(self, keys: Sequence[str]) -> None:
        """Know these. Raises ``Unavailable``."""
        ...

    def aliases_of(self, key: str) -> Sequence[str]:
        """Every address of the person who has this one; empty when nobody is known to have it."""
        ...


@dataclass(slots=True)
class Duplicates:
    """``others``: by recipient, its person's other addresses as recipient ids. ``handed``: who has a message."""

    others: Mapping[str, Collection[str]] = field(default_factory=dict)
    handed: set[str] = field(default_factory=set)

    def reason(self, recipient: Recipient) -> str | None:
        """Why this one gets nothing: the same person has it under another address."""
        for other in self.others.get(recipient.id, ()):
            if other in self.handed:
                return f"{SAME_PERSON}: {other.rpartition(':')[2]} is on the list, too"
        return None


async def duplicates_among(
    people: People, repository: CampaignRepository, campaign_id: str, page: Sequence[Recipient]
) -> Duplicates:
    """What there is to know of this page. Raises ``Unavailable``.

    Three small reads a page at most, and none but the first where everybody has one address.
    """
    await people.load_keys([recipient.key for recipient in page])
    others = {
        recipient.id: [
            recipient_id(campaign_id, key) for key in people.aliases_of(recipient.key) if key != recipient.key
        ]
        for recipient in page
    }
    messages = await repository.messages_of(sorted({id_ for ids in others.values() for id_ in ids}))
    stored = await repository.statuses(list(messages.values()))
    return Duplicates(others, {id_ for id_, message_id in messages.items() if message_id in stored})
