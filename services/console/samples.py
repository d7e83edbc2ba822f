"""Samples of the cluster's vitals, one every ten seconds, kept for two hours: the charts of the console.

Process: worker.

They stand in the database, so that charts survive reloads of the page, of workers and of the whole installation.
One worker a host writes them; a second one that does so too changes nothing, since the id is the moment.
"""

import asyncio
import logging
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from config.clock import Clock
from config.errors import Unavailable
from services.store import Database

log = logging.getLogger(__name__)

SAMPLES: Final = "samples"
EVERY_S: Final = 10
MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the whole cluster. Counters count since the start of the processes that carry them."""

    requests: int
    p95_ms: float
    loop_lag_ms: float
    rss_bytes: int
    pool_in_use: int
    pool_waiting: int
    queue_depth: int
    queue_age_s: float
    events: int
    workers: int
    restarts: int


class Samples:
    """Writes and reads the samples of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, take: Callable[[], Sample | None]) -> None:
        """For the life of a worker: write what ``take`` sees; None means another worker does it."""
        while True:
            await asyncio.sleep(EVERY_S - self._clock.now().timestamp() % EVERY_S)
            sample = take()
            if sample is None:
                continue
            try:
                await self.keep(sample)
            except Unavailable as error:
                log.debug("A sample was not kept.", extra={"action": "sample.lost", "detail": str(error)})

    async def keep(self, sample: Sample) -> None:
        """Write one sample under the moment it belongs to."""
        bucket = int(self._clock.now().timestamp()) // EVERY_S * EVERY_S
        values = {name: getattr(sample, name) for name in Sample.__dataclass_fields__}
        document = {"_id": f"{bucket}:{platform.node()}", "at": datetime.fromtimestamp(bucket, UTC), **values}
        await self._database.insert_many(SAMPLES, [document], ordered=False)

    async def since(self, minutes: int) -> list[Mapping[str, Any]]:
        """Samples of the last minutes, oldest first."""
        after = self._clock.now() - timedelta(minutes=minutes)
        return list(
            await self._database.find(
                SAMPLES, {"at": {"$gte": after}}, projection={"_id": 0}, sort=[("at", 1)], limit=MOST
            )
        )


def sample_of(rows: Sequence[Mapping[str, Any]], *, me: str) -> Sample | None:
    """The cluster as one sample; None when another worker than ``me`` is the one that writes.

    ``rows`` are processes: name, role, state, restarts, ``vitals`` (a mapping) and ``extra``.
    """
    workers = [row for row in rows if row["role"] == "worker"]
    ready = sorted(str(row["name"]) for row in workers if row["state"] == "ready")
    if not ready or ready[0] != me:
        return None
    owner: Mapping[str, Any] = next((row["extra"] for row in rows if row["role"] == "whatsapp"), {})
    return Sample(
        requests=sum(row["vitals"]["requests"] for row in workers),
        p95_ms=max((row["vitals"]["p95_ms"] for row in workers), default=0.0),
        loop_lag_ms=max((row["vitals"]["loop_lag_ms"] for row in rows), default=0.0),
        rss_bytes=sum(row["vitals"]["rss_bytes"] for row in rows),
        pool_in_use=sum(row["vitals"]["pool_checked_out"] for row in rows),
        pool_waiting=sum(row["vitals"]["pool_waiting"] for row in rows),
        queue_depth=int(owner.get("queue_depth", 0)),
        queue_age_s=float(owner.get("queue_age_s", 0.0)),
        events=int(owner.get("events", 0)),
        workers=len(ready),
        restarts=sum(row["restarts"] for row in rows),
    )
