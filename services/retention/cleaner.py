"""Deletes what is older than the settings keep, a bounded slice at a time. Time-to-live indexes do the rest.

Process: whatsapp.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from config.clock import Clock
from services.campaigns import CAMPAIGNS, RECIPIENTS, CampaignStatus
from services.messages import MESSAGES
from services.retention.idle import IdleCleaner
from services.retention.policy import DAY, expired_messages, order_at
from services.store import META, AscendingReader, Database, Recorder, VersionedWrite

log = logging.getLogger(__name__)

SLICE: Final = 250
PAUSE_S: Final = 0.25
PASS_EVERY_S: Final = 3_600.0
IDEMPOTENCY_EVERY_S: Final = 300.0
CAMPAIGNS_AT_ONCE: Final = 20
_RECORD: Final = "retention"
_OVER: Final = [CampaignStatus.COMPLETED.value, CampaignStatus.CANCELED.value, CampaignStatus.DRAFT.value]


@dataclass(frozen=True, slots=True)
class RetentionOptions:
    """How long things are kept: messages and campaigns in days, idempotency keys in seconds."""

    messages_days: int
    campaigns_days: int
    idempotency_s: int


class Cleaner:
    """A background task: one ``step`` does one slice of what is due."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        clock: Clock,
        *,
        is_owner: Callable[[], bool],
        options: RetentionOptions,
        idle: IdleCleaner | None = None,
    ) -> None:
        """``idle`` deletes conversations and contacts. Nothing is read yet."""
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._is_owner = is_owner
        self._options = options
        self._idle = idle
        self._messages: AscendingReader | None = None
        self._keys: AscendingReader | None = None
        self._next_pass_s = clock.monotonic()
        self._next_keys_s = clock.monotonic()
        self._deleted: dict[str, int] = {}

    async def step(self) -> int:
        """Do one slice; 0 when nothing is due. Raises ``Unavailable``."""
        if not self._is_owner():
            return 0
        count = await self._clean_messages() or await self._forget_keys()
        if count:
            await asyncio.sleep(PAUSE_S)  # messages go first: cleaning has all night
        return count

    async def _clean_messages(self) -> int:
        """One slice of a pass over everything that is old enough, then the campaigns; a pass an hour."""
        if self._messages is None:
            if self._clock.monotonic() < self._next_pass_s:
                return 0
            if self._idle is not None:
                self._idle.begin()
            self._messages = AscendingReader(
                self._database,
                MESSAGES,
                {},
                up_to=order_at(self._clock.now() - self._options.messages_days * DAY),
                page=SLICE,
                projection={"status": 1, "updated_at": 1, "created_at": 1},
            )
        page = await self._messages.next()
        if page:
            cutoff = self._clock.now() - self._options.messages_days * DAY
            await self._delete(MESSAGES, expired_messages(page, cutoff))
            return len(page)
        if await self._clean_campaigns() or (self._idle is not None and await self._idle.step()):
            return 1
        self._messages, self._next_pass_s = None, self._clock.monotonic() + PASS_EVERY_S
        self._deleted |= self._idle.deleted if self._idle is not None else {}
        if self._deleted:
            log.info("Old documents were deleted.", extra={"action": "retention.deleted", **self._deleted})
            self._deleted = {}
        return 0

    async def _clean_campaigns(self) -> int:
        """One slice of the recipients of a campaign that is long over, or of a draft that nobody touched; then it."""
        cutoff = self._clock.now() - self._options.campaigns_days * DAY
        old = await self._database.find(
            CAMPAIGNS,
            {"status": {"$in": _OVER}, "updated_at": {"$lt": cutoff}},
            projection={"_id": 1},
            limit=CAMPAIGNS_AT_ONCE,
        )
        for document in old:
            walk = AscendingReader(
                self._database, RECIPIENTS, {"campaign": document["_id"]}, page=SLICE, projection={"_id": 1}
            )
            if page := await walk.next():
                await self._delete(RECIPIENTS, [str(recipient["_id"]) for recipient in page])
                return len(page)
            await self._delete(CAMPAIGNS, [str(document["_id"])])
        return len(old)

    async def _forget_keys(self) -> int:
        """Idempotency keys past their time: the unique index lets them be used again, and gets smaller."""
        if self._keys is None:
            if self._clock.monotonic() < self._next_keys_s:
                return 0
            record = await self._database.find_one(META, {"_id": _RECORD})
            self._keys = AscendingReader(
                self._database,
                MESSAGES,
                {},
                after=int((record or {}).get("idempotency_floor", 0)),
                up_to=order_at(self._clock.now() - timedelta(seconds=self._options.idempotency_s)),
                page=SLICE,
                projection={"idempotency": 1},
            )
        page = await self._keys.next()
        floor: dict[str, Any] = {"idempotency_floor": self._keys.reached}
        marks = [
            VersionedWrite(MESSAGES, str(document["_id"]), None, drop=("idempotency", "digest"))
            for document in page
            if "idempotency" in document
        ]
        if not page:
            self._keys, self._next_keys_s = None, self._clock.monotonic() + IDEMPOTENCY_EVERY_S
        self._recorder.record([], [*marks, VersionedWrite(META, _RECORD, None, set=floor, upsert=True)])
        return len(page)

    async def _delete(self, collection: str, ids: list[str]) -> None:
        if ids:
            count = await self._database.delete_many(collection, {"_id": {"$in": ids}})
            self._deleted[collection] = self._deleted.get(collection, 0) + count
