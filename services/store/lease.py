"""The owner lease: at most one process owns the WhatsApp links, proved by a document and a fencing token.

Process: whatsapp.

Times are the database's (``$$NOW``), so the clocks of two hosts do not matter. The holder measures its own remaining
time with its monotonic clock, counted from *before* the renewal was sent: it always gives up earlier than the
database does.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.store.database import Database
from services.store.driver import Document, DuplicateKeyError

log = logging.getLogger(__name__)

LEASES = "leases"


@dataclass(frozen=True, slots=True)
class LeaseView:
    """What the lease document says: who holds it, under which token, and how long it still runs (ms, may be < 0)."""

    holder: str
    token: int
    remaining_ms: int


class Lease:
    """A named lease in MongoDB. ``token`` grows by one with every change of holder and never falls.

    ``ttl_s`` is how long a renewal holds; ``margin_s`` is how much earlier the holder stops trusting it.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        holder: str,
        ttl_s: float,
        margin_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._name = name
        self.holder = holder
        self._ttl_ms = int(ttl_s * 1000)
        self._margin_s = margin_s
        self._monotonic = monotonic
        self._good_until = 0.0
        self.token = 0

    def is_held(self) -> bool:
        """May this process still act as the owner? Pure arithmetic on the monotonic clock."""
        return self.token > 0 and self._monotonic() < self._good_until

    def remaining_s(self) -> float:
        """Seconds for which this process may still act as the owner; 0 when it may not."""
        return max(0.0, self._good_until - self._monotonic()) if self.token else 0.0

    async def acquire(self, *, dead_holder: str | None = None) -> LeaseView:
        """Take the lease if it is free, has run out, or is ours; return what it is now.

        ``dead_holder`` is known to be dead: its lease need not run out first.

        Call it again to renew. ``is_held()`` tells whether it worked. Raises ``DatabaseUnavailable``.
        """
        asked_at = self._monotonic()
        is_free: Document = {"$lte": [{"$ifNull": ["$expires_ms", 0]}, {"$toLong": "$$NOW"}]}
        is_mine: Document = {"$eq": ["$holder", {"$literal": self.holder}]}
        is_of_dead_holder: Document = {"$eq": ["$holder", {"$literal": dead_holder}]}
        may_take: Document = {
            "$or": [is_free, is_mine] if dead_holder is None else [is_free, is_mine, is_of_dead_holder]
        }
        # A holder whose lease has run out gets a new token even when no other process took it in between:
        # what it sent in that time cannot be told from a stranger's.
        changes: Document = {"$and": [may_take, {"$or": [is_free, {"$not": [is_mine]}]}]}
        pipeline: list[Document] = [
            {
                "$set": {
                    "token": {
                        "$cond": [
                            changes,
                            {"$add": [{"$ifNull": ["$token", 0]}, 1]},
                            {"$ifNull": ["$token", 0]},
                        ]
                    },
                    "expires_ms": {
                        "$cond": [
                            may_take,
                            {"$add": [{"$toLong": "$$NOW"}, self._ttl_ms]},
                            {"$ifNull": ["$expires_ms", 0]},
                        ]
                    },
                    "holder": {"$cond": [may_take, {"$literal": self.holder}, {"$ifNull": ["$holder", ""]}]},
                    "now_ms": {"$toLong": "$$NOW"},
                }
            }
        ]
        try:
            found = await self._database.update_and_read(LEASES, {"_id": self._name}, pipeline, upsert=True)
        except DuplicateKeyError:
            found = None
        if found is None:
            # Several processes made the document at the same moment: another one's is there now.
            found = await self._database.find_one(LEASES, {"_id": self._name})
        view = _view(found or {})
        if view.holder == self.holder and view.remaining_ms > 0:
            self.token = view.token
            self._good_until = asked_at + self._ttl_ms / 1000 - self._margin_s
        else:
            self.token = 0
        return view

    async def release(self) -> None:
        """Give the lease up, so that the next owner need not wait for its end. Raises ``DatabaseUnavailable``."""
        if not self.token:
            return
        token, self.token = self.token, 0
        is_mine: Document = {
            "$and": [{"$eq": ["$holder", {"$literal": self.holder}]}, {"$eq": ["$token", token]}],
        }
        await self._database.update(
            LEASES,
            {"_id": self._name},
            [{"$set": {"expires_ms": {"$cond": [is_mine, 0, "$expires_ms"]}}}],
            upsert=False,
        )
        log.info("Released the owner lease.", extra={"action": "lease.released", "token": token})


def _view(document: dict[str, Any]) -> LeaseView:
    return LeaseView(
        holder=str(document.get("holder", "")),
        token=int(document.get("token", 0)),
        remaining_ms=int(document.get("expires_ms", 0)) - int(document.get("now_ms", 0)),
    )


async def is_lease_held(database: Database, name: str) -> bool:
    """Does a process hold this lease right now, by the database's clock? Raises ``DatabaseUnavailable``."""
    is_running: Document = {"$gt": ["$expires_ms", {"$toLong": "$$NOW"}]}
    return await database.find_one(LEASES, {"_id": name, "$expr": is_running}, {"_id": 1}) is not None
