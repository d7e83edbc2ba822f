"""How full is the database? Measured every minute, written down for everybody, and told before it is too late.

Process: whatsapp (StorageWatch), worker (StorageReader).
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from config.clock import Clock
from config.errors import Unavailable
from services.retention.policy import level_of
from services.store import META, Database, DatabaseSize, Fact, Recorder, VersionedWrite, measure

log = logging.getLogger(__name__)

MEASURE_EVERY_S: Final = 60.0
REMIND_EVERY_S: Final = 3_600.0
LARGEST: Final = 10
KEPT_BY_SETTING: Final = frozenset(
    {
        "messages", "events", "notifications", "attempts", "campaigns", "campaign_recipients", "conversations",
        "contacts",
    }
)  # fmt: skip
"""Collections that a ``PANAL_RETENTION_…`` setting rules: they are shown however small they are."""
_RECORD: Final = "storage"
NEXT_STEP: Final = (
    "Keep less (PANAL_RETENTION_MESSAGES_DAYS, PANAL_RETENTION_EVENTS_DAYS, PANAL_RETENTION_NOTIFICATIONS_DAYS, "
    "PANAL_RETENTION_CONVERSATIONS_DAYS, PANAL_RETENTION_CONTACTS_DAYS), or "
    "move to a larger database and raise PANAL_STORAGE_MB. A full database refuses every message."
)


class StorageWatch:
    """A background task: measures once a minute."""

    def __init__(self, database: Database, recorder: Recorder, clock: Clock, *, limit_mb: int, number: str) -> None:
        """``limit_mb`` 0: there is no limit to warn of. ``number`` is the one in whose log it is told."""
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._limit_mb = limit_mb
        self._number = number
        self._next_s = clock.monotonic()
        self._remind_s = clock.monotonic()
        self._level: str | None = None

    async def step(self) -> int:
        """Measure, if it is time. Raises ``Unavailable``."""
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return 0
        if self._level is None:
            # A new owner does not repeat what the last one told.
            record = await self._database.find_one(META, {"_id": _RECORD}, {"level": 1})
            self._level = str((record or {}).get("level", "ok"))
        size = await measure(self._database)
        self._next_s = now_s + MEASURE_EVERY_S
        before, self._level = self._level, level_of(size.bytes, self._limit_mb, before=self._level)
        values = self._values(size)
        facts = []
        if self._level != before:
            told = {name: values[name] for name in ("level", "used_mb", "limit_mb", "used_percent")}
            if self._level != "ok":
                told["next_step"] = NEXT_STEP
            facts.append(Fact("cluster.storage", self._number, self._clock.now(), told))
        self._recorder.record(facts, [VersionedWrite(META, _RECORD, None, set=values, upsert=True)])
        self._log(values, is_new=self._level != before)
        return 0

    def _log(self, values: Mapping[str, Any], *, is_new: bool) -> None:
        now_s = self._clock.monotonic()
        if values["level"] == "ok" or not (is_new or now_s >= self._remind_s):
            return
        self._remind_s = now_s + REMIND_EVERY_S
        log.warning(
            "The database is %.0f %% full (%.1f of %d MB). %s",
            values["used_percent"],
            values["used_mb"],
            values["limit_mb"],
            NEXT_STEP,
            extra={"action": "storage.nearly_full", "level": values["level"], "used_mb": values["used_mb"]},
        )

    def _values(self, size: DatabaseSize) -> dict[str, Any]:
        used_mb = size.bytes / 1_000_000
        return {
            "at": self._clock.now(),
            "level": self._level,
            "used_mb": round(used_mb, 2),
            "data_mb": round(size.data_bytes / 1_000_000, 2),
            "index_mb": round(size.index_bytes / 1_000_000, 2),
            "limit_mb": self._limit_mb,
            "used_percent": round(100 * used_mb / self._limit_mb, 1) if self._limit_mb else None,
            "is_estimate": size.is_estimate,
            "collections": [
                {
                    "name": one.name,
                    "documents": one.documents,
                    "data_mb": round(one.data_bytes / 1_000_000, 2),
                    "index_mb": round(one.index_bytes / 1_000_000, 2),
                }
                for position, one in enumerate(size.collections)
                if position < LARGEST or one.name in KEPT_BY_SETTING
            ],
        }


class StorageReader:
    """The last measurement, for a page that must answer while the database is away."""

    def __init__(self, database: Database, clock: Clock, *, fresh_s: float = 10.0, limit_s: float = 0.3) -> None:
        """``limit_s`` is how long a reader waits for the database; past it the last answer serves."""
        self._database = database
        self._clock = clock
        self._fresh_s = fresh_s
        self._limit_s = limit_s
        self._last: dict[str, Any] | None = None
        self._read_at = float("-inf")

    async def read(self) -> dict[str, Any] | None:
        """What was measured last; None when nothing is known."""
        now_s = self._clock.monotonic()
        if now_s - self._read_at >= self._fresh_s:
            self._read_at = now_s
            try:
                found = await asyncio.wait_for(self._database.find_one(META, {"_id": _RECORD}), self._limit_s)
            except (Unavailable, TimeoutError):
                return self._last
            if found is not None:
                found.pop("_id")
                self._last = dict(found)
        return self._last
