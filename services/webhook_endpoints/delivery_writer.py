"""What became of tries, written in bulk: attempts, dead letters, parked lanes, cursors, in that order.

Process: whatsapp.

The order is the promise: a cursor moves on only after everything that it leaves behind is written. What is lost with
the process is at most what this held, and the next owner delivers that again.
"""

import logging
from collections.abc import Callable

from services.store import Database, VersionedWrite, operation
from services.webhook_endpoints.backlog import Backlog
from services.webhook_endpoints.documents import (
    ATTEMPTS,
    DEAD_LETTERS,
    LANES,
    STREAMS,
    attempt_document,
    lane_id,
    lane_write,
    letter_write,
)
from services.webhook_endpoints.records import Attempt, DeadLetter, StreamKind, StreamRecord

log = logging.getLogger(__name__)

FULL = 2_000
BATCH = 500


class DeliveryWriter:
    """Gathers outcomes; ``flush`` writes them. ``is_full`` asks the engine to start nothing new until it did."""

    def __init__(self, database: Database, *, may_write: Callable[[], bool]) -> None:
        """``may_write``: does this process still own the numbers?"""
        self._database = database
        self._may_write = may_write
        self._attempts: list[Attempt] = []
        self._letters: dict[str, DeadLetter | None] = {}
        self._streams: dict[str, tuple[StreamRecord, Backlog]] = {}
        self._written: dict[str, int] = {}
        self._ended: list[str] = []

    @property
    def is_full(self) -> bool:
        """The database is slower than the endpoints."""
        return len(self._attempts) >= FULL

    def note(self, attempt: Attempt) -> None:
        """A try was made."""
        self._attempts.append(attempt)

    def bury(self, letter: DeadLetter) -> None:
        """An event was given up."""
        self._letters[letter.id] = letter

    def revive(self, letter_id: str) -> None:
        """A dead letter was delivered after all."""
        self._letters[letter_id] = None

    def touch(self, stream: StreamRecord, backlog: Backlog) -> None:
        """This stream moved; its cursor and its parked lanes are written with the next flush."""
        self._streams[stream.id] = (stream, backlog)

    def end(self, stream: StreamRecord) -> None:
        """This stream is done with, or its endpoint is."""
        self._streams.pop(stream.id, None)
        self._ended.append(stream.id)

    def drop(self, stream: StreamRecord) -> None:
        """Forget about a stream without writing."""
        self._streams.pop(stream.id, None)

    async def flush(self) -> None:
        """Write what was gathered. Raises ``Unavailable``: then it is all still here, and writing again is safe."""
        if not self._may_write():
            return
        # First of all what is settled now: letters and attempts that come in while we write belong to the next flush.
        moved = list(self._streams.values())
        self._streams.clear()
        changes = [(stream, backlog, backlog.take_changes(), backlog.cursor) for stream, backlog in moved]
        writes = [
            lane_write(stream, lane) for stream, _, lanes, _ in changes for lane in lanes.values() if lane is not None
        ]
        gone = [
            lane_id(stream.id, key) for stream, _, lanes, _ in changes for key, lane in lanes.items() if lane is None
        ]
        try:
            await self._flush_attempts()
            await self._flush_letters()
            await self._write(writes)
            if gone:
                await self._database.delete_many(LANES, {"_id": {"$in": gone}})
            await self._flush_cursors([(stream, cursor) for stream, _, _, cursor in changes])
            await self._flush_ended()
        except BaseException:
            for stream, backlog, lanes, _ in changes:
                backlog.changed |= set(lanes)
                self._streams.setdefault(stream.id, (stream, backlog))
            raise

    async def _flush_attempts(self) -> None:
        while self._attempts:
            batch = self._attempts[:BATCH]
            await self._database.insert_many(ATTEMPTS, [attempt_document(attempt) for attempt in batch], ordered=False)
            del self._attempts[: len(batch)]

    async def _flush_letters(self) -> None:
        letters, self._letters = self._letters, {}
        try:
            await self._write([letter_write(letter) for letter in letters.values() if letter is not None])
            revived = [id_ for id_, letter in letters.items() if letter is None]
            if revived:
                await self._database.delete_many(DEAD_LETTERS, {"_id": {"$in": revived}})
        except BaseException:
            self._letters = letters | self._letters
            raise

    async def _flush_cursors(self, cursors: list[tuple[StreamRecord, int]]) -> None:
        changed = [(stream, cursor) for stream, cursor in cursors if self._written.get(stream.id) != cursor]
        # A live stream that nobody ever made (a new number) is made here.
        await self._write(
            [
                VersionedWrite(
                    STREAMS,
                    stream.id,
                    None,
                    set={
                        "cursor": cursor,
                        "endpoint": stream.endpoint_id,
                        "number": stream.number,
                        "kind": stream.kind.value,
                    },
                    upsert=stream.kind is StreamKind.LIVE,
                )
                for stream, cursor in changed
            ]
        )
        self._written.update((stream.id, cursor) for stream, cursor in changed)

    async def _flush_ended(self) -> None:
        if self._ended:
            ended = list(self._ended)
            await self._database.delete_many(STREAMS, {"_id": {"$in": ended}})
            self._ended = [id_ for id_ in self._ended if id_ not in ended]

    async def _write(self, writes: list[VersionedWrite]) -> None:
        for start in range(0, len(writes), BATCH):
            batch = writes[start : start + BATCH]
            await self._database.bulk(batch[0].collection, [operation(write) for write in batch], ordered=False)
