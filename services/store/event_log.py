"""The numbered event log: the next integer for every event of a phone number, written by one owner.

Process: whatsapp (append), worker (read).

The append is the fence. ``(number, seq)`` is unique, a new owner opens its term with an event of its own, and so a
stale owner's next append meets a number that is taken: it is refused before it can change anything else.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from config.errors import PanalError
from services.store.database import Database
from services.store.driver import UNENCODABLE, Document, encode
from services.store.faults import DatabaseUnavailable
from services.store.versioned_write import VersionedWrite

EVENTS = "events"
SEQ_FLOORS = "numbers"
"""Where the floor of each number is kept: in the number's own document, whose other fields belong to `numbers`."""
SEQ_FLOOR = "seq_floor"
MAX_EVENT_BYTES = 16_000_000
"""MongoDB's limit is 16 MiB a document: https://www.mongodb.com/docs/manual/reference/limits/"""


class Fenced(PanalError):
    """Another owner wrote this sequence number: this process owns the number no more and must stop."""

    code = "fenced"


class Unencodable(PanalError):
    """One of these events can never be stored: it is too large, or holds what the database has no type for."""

    code = "event_unencodable"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened and has no number yet. ``data`` must be enough to project it again after a crash."""

    type: str
    number: str
    at: datetime
    data: dict[str, Any]
    conversation_id: str | None = None


class Recorded(Protocol):
    """Facts on their way into the log. Both futures raise ``Fenced`` when the term ends before they are done."""

    @property
    def durable(self) -> Awaitable[None]:
        """Done when the events stand in the log: from here on a new owner knows of them."""
        ...

    @property
    def applied(self) -> Awaitable[None]:
        """Done when the documents show them."""
        ...


class Recorder(Protocol):
    """The event writer, as every noun sees it."""

    def record(self, facts: Sequence[Fact], marks: Sequence[VersionedWrite] = ()) -> Recorded:
        """Number the facts now and write them soon, with ``marks`` beside the documents that they change.

        Await ``durable`` before acting on a fact outside, ``applied`` before its documents are read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """One numbered event as it is published: ``seq`` is per ``number`` (a phone_number_id), without a gap."""

    id: str
    number: str
    seq: int
    type: str
    at: datetime
    data: dict[str, Any]
    conversation_id: str | None = None


async def append(database: Database, events: Sequence[Event]) -> None:
    """Store events of one number in the order of their ``seq``; all or an error.

    Raises ``Fenced`` when another owner holds one of the numbers, ``DatabaseUnavailable`` when the outcome is unknown:
    then call it again with the same events, which is safe. ``Unencodable``: ask ``fault_of`` which.
    """
    try:
        duplicates = await database.insert_many(EVENTS, [_document(event) for event in events], ordered=True)
    except UNENCODABLE as error:
        raise Unencodable("An event cannot be stored.", detail=str(error)[:500]) from error
    if not duplicates:
        return
    # Ordered: it stopped at the first duplicate. Ours from an earlier try, or a stranger's?
    number, first, last = events[0].number, events[0].seq, events[-1].seq
    stored = await database.find(
        EVENTS,
        {"number": number, "seq": {"$gte": first, "$lte": last}},
        projection={"seq": 1},
        limit=len(events),
    )
    owner_of = {int(document["seq"]): str(document["_id"]) for document in stored}
    missing = []
    for event in events:
        holder = owner_of.get(event.seq)
        if holder is None:
            missing.append(event)
        elif holder != event.id:
            raise Fenced("Another process owns this number now.", detail=f"number {number}, seq {event.seq}")
    if missing and len(missing) < len(events):
        await append(database, missing)
    elif missing:
        raise DatabaseUnavailable("The event log refused an append.", detail=duplicates[0].message)


def fault_of(event: Event) -> str | None:
    """Why this event can never be stored; None when it can be."""
    try:
        size = len(encode(_document(event)))
    except UNENCODABLE as error:
        return str(error)[:500]
    return f"{size} bytes are more than the {MAX_EVENT_BYTES} of a document" if size > MAX_EVENT_BYTES else None


async def last_seq(database: Database, number: str, *, floor: int) -> int:
    """The highest ``seq`` of this number. ``floor`` is a number known to be reached (0 for a new number).

    Retention deletes old events, so the floor is kept beside the number: an idle number must not begin again at 1.
    Raises ``Unavailable``.
    """
    found = await database.find(
        EVENTS,
        {"number": number, "seq": {"$gt": floor}},
        projection={"seq": 1},
        sort=[("number", -1), ("seq", -1)],
        limit=1,
    )
    return int(found[0]["seq"]) if found else floor


async def seq_floor(database: Database, number: str) -> int:
    """The ``seq`` that the log of this number has reached at least; 0 for an unknown number. Raises ``Unavailable``."""
    found = await database.find_one(SEQ_FLOORS, {"_id": number}, {SEQ_FLOOR: 1})
    return int((found or {}).get(SEQ_FLOOR, 0))


async def raise_seq_floor(database: Database, number: str, seq: int) -> None:
    """Remember that the log of this number reached ``seq``; the floor never falls. An unknown number gets none.

    Raises ``Unavailable``.
    """
    await database.update(SEQ_FLOORS, {"_id": number}, {"$max": {SEQ_FLOOR: seq}}, upsert=False)


async def read(
    database: Database, number: str, *, after: int, limit: int, types: Sequence[str] = (), seeks: bool = True
) -> tuple[list[Event], int]:
    """Up to ``limit`` events with ``seq > after``, in order, and the last ``seq`` that was looked at.

    ``types`` filters by exact type, or by family (``message.*``). The second value is where to go on from, so that a
    filter that fits nothing still makes progress. ``seeks``: when nothing comes next, look further, since retention
    may have deleted what came; one more operation, which a caller that waits at the end of the log can spare.
    """
    found = await _window(database, number, after=after, limit=limit)
    if not found and seeks:
        oldest = await database.find(
            EVENTS,
            {"number": number, "seq": {"$gt": after}},
            projection={"seq": 1},
            sort=[("number", 1), ("seq", 1)],
            limit=1,
        )
        if oldest:
            found = await _window(database, number, after=int(oldest[0]["seq"]) - 1, limit=limit)
    events = [event_record(document) for document in found]
    reached = events[-1].seq if events else after
    if types:
        families = tuple(word[:-1] for word in types if word.endswith(".*"))
        events = [event for event in events if event.type in types or event.type.startswith(families or ("\0",))]
    return events, reached


async def _window(database: Database, number: str, *, after: int, limit: int) -> list[Document]:
    """A narrow range: a server that sorts what it has read (the embedded one) reads no more than the page."""
    return await database.find(
        EVENTS,
        {"number": number, "seq": {"$gt": after, "$lte": after + limit}},
        sort=[("number", 1), ("seq", 1)],
        limit=limit,
    )


def _document(event: Event) -> Document:
    document: Document = {
        "_id": event.id,
        "number": event.number,
        "seq": event.seq,
        "type": event.type,
        "at": event.at,
        "data": event.data,
    }
    if event.conversation_id:
        document["conversation"] = event.conversation_id
    return document


def event_record(document: Document) -> Event:
    """An event from its document (of the log, or of a change stream)."""
    return Event(
        id=document["_id"],
        number=document["number"],
        seq=int(document["seq"]),
        type=document["type"],
        at=document["at"],
        data=document["data"],
        conversation_id=document.get("conversation"),
    )
