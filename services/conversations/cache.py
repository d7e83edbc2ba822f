"""When did this customer last write? For workers: coalesced reads and a short memory.

Process: worker.
"""

from collections import OrderedDict
from datetime import datetime

from config.clock import Clock
from services.conversations.state import CONVERSATIONS, ContactRef, pair_of
from services.store import BatchLoader, Database

MAX_REMEMBERED = 20_000


class ConversationCache:
    """Last inbound times by number and contact.

    A customer's last message only moves forward, so what was seen stays true enough to say "open"; "closed" is always
    read again.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        """Empty."""
        self._clock = clock
        self._reads = BatchLoader(
            database,
            CONVERSATIONS,
            "pair",
            projection={"_id": 0, "pair": 1, "last_inbound_at": 1},
        )
        self._seen: OrderedDict[str, datetime] = OrderedDict()

    def has_written(self, number: str, key: str, *, newer_than: datetime) -> bool:
        """Is it remembered that the contact with this key wrote after ``newer_than``? False says nothing."""
        pair = pair_of(number, key)
        seen = self._seen.get(pair)
        if seen is None or seen <= newer_than:
            return False
        self._seen.move_to_end(pair)
        return True

    async def last_inbound_at(self, contact: ContactRef, *, newer_than: datetime) -> datetime | None:
        """When the contact last wrote to this number: some time after ``newer_than``, or else the exact truth."""
        pair = pair_of(contact.phone_number_id, contact.key)
        seen = self._seen.get(pair)
        if seen is not None and seen > newer_than:
            self._seen.move_to_end(pair)
            return seen
        found = await self._reads.get(pair)
        last: datetime | None = found.get("last_inbound_at") if found else None
        if last is not None:
            self._seen[pair] = last
            if len(self._seen) > MAX_REMEMBERED:
                self._seen.popitem(last=False)
        return last
