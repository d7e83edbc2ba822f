"""Endpoints, streams, lanes, attempts and dead letters as documents: the one place where a record becomes BSON.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from services.secret_rotation import SealedField
from services.store import VersionedWrite
from services.vault import Place, SecretBox
from services.webhook_endpoints.backlog import Lane
from services.webhook_endpoints.records import (
    Attempt,
    DeadLetter,
    Endpoint,
    ParkedLane,
    StreamKind,
    StreamRecord,
    Target,
    TryOutcome,
    endpoint_of,
)

ENDPOINTS: Final = "webhook_endpoints"
VAULT: Final = "webhook_vault"
STREAMS: Final = "webhook_streams"
LANES: Final = "webhook_lanes"
ATTEMPTS: Final = "attempts"
DEAD_LETTERS: Final = "dead_letters"


def vault_document(ref: str, endpoint_id: str, held: Target | str, box: SecretBox) -> dict[str, Any]:
    """A target or a secret for the vault, sealed for this place."""
    clear = {"url": held.url, "headers": dict(held.headers)} if isinstance(held, Target) else {"secret": held}
    return {"_id": ref, "endpoint": endpoint_id, "sealed": box.seal(Place(VAULT, ref), orjson.dumps(clear))}


def vault_record(document: Mapping[str, Any], box: SecretBox) -> Target | str:
    """What a document of the vault holds. Raises ``SecretUnreadable``."""
    clear = _clear_of(document)  # of an earlier version, until the owner has sealed it
    if clear is None:
        clear = box.open(Place(VAULT, document["_id"]), document["sealed"])
    held = orjson.loads(clear)
    return Target(held["url"], held["headers"]) if "url" in held else str(held["secret"])


def _clear_of(document: Mapping[str, Any]) -> bytes | None:
    held = {name: document[name] for name in _CLEAR_FIELDS if name in document}
    return orjson.dumps(held) if held and "sealed" not in document else None


_CLEAR_FIELDS: Final = ("url", "headers", "secret")
VAULT_SECRETS: Final = SealedField(VAULT, _CLEAR_FIELDS, _clear_of)
"""Where they stand, for the rotation of keys."""


def endpoint_record(document: Mapping[str, Any]) -> Endpoint:
    """The endpoint of a stored document."""
    return endpoint_of({"endpoint_id": document["_id"], **document})


def stream_write(stream: StreamRecord) -> VersionedWrite:
    """Make or replace a stream."""
    values: dict[str, Any] = {
        "endpoint": stream.endpoint_id,
        "number": stream.number,
        "kind": stream.kind.value,
        "cursor": stream.cursor,
    }
    if stream.kind is not StreamKind.LIVE:
        values["until"] = stream.until
    if stream.seqs:
        values["seqs"] = list(stream.seqs)
    return VersionedWrite(STREAMS, stream.id, None, set=values, upsert=True)


def stream_record(document: Mapping[str, Any]) -> StreamRecord:
    """The stream of a stored document."""
    return StreamRecord(
        id=document["_id"],
        endpoint_id=document["endpoint"],
        number=document["number"],
        kind=StreamKind(document["kind"]),
        cursor=int(document["cursor"]),
        until=int(document.get("until", 0)),
        seqs=tuple(int(seq) for seq in document.get("seqs", ())),
    )


def lane_write(stream: StreamRecord, lane: Lane) -> VersionedWrite:
    """A parked lane as it is now."""
    return VersionedWrite(
        LANES,
        lane_id(stream.id, lane.key),
        None,
        set={
            "endpoint": stream.endpoint_id,
            "stream": stream.id,
            "key": lane.key,
            "seqs": list(lane.seqs),
            "attempts": lane.attempt_count,
            "due_at": lane.due_at,
        },
        upsert=True,
    )


def lane_id(stream_id: str, key: str) -> str:
    """One a stream and conversation."""
    return f"{stream_id}|{key}"


def lane_record(document: Mapping[str, Any]) -> ParkedLane:
    """The parked lane of a stored document."""
    return ParkedLane(
        stream_id=document["stream"],
        endpoint_id=document["endpoint"],
        key=document["key"],
        seqs=tuple(int(seq) for seq in document["seqs"]),
        attempt_count=int(document["attempts"]),
        due_at=float(document["due_at"]),
    )


def attempt_document(attempt: Attempt) -> dict[str, Any]:
    """A try. Empty fields are left out: there is one such document a delivery."""
    document: dict[str, Any] = {
        "_id": attempt.id,
        "order": attempt.order,
        "endpoint": attempt.endpoint_id,
        "event": attempt.event_id,
        "type": attempt.event_type,
        "number": attempt.number,
        "seq": attempt.seq,
        "attempt": attempt.attempt,
        "at": attempt.at,
        "ms": attempt.duration_ms,
        "outcome": attempt.outcome.value,
        "stream": attempt.stream,
    }
    optional = {
        "status": attempt.status,
        "error": attempt.error,
        "answer": attempt.answer or None,
        "next_at": attempt.next_at,
    }
    return document | {name: value for name, value in optional.items() if value is not None}


def attempt_record(document: Mapping[str, Any]) -> Attempt:
    """The try of a stored document."""
    return Attempt(
        id=document["_id"],
        order=int(document["order"]),
        endpoint_id=document["endpoint"],
        event_id=document["event"],
        event_type=document["type"],
        number=document["number"],
        seq=int(document["seq"]),
        attempt=int(document["attempt"]),
        at=document["at"],
        duration_ms=int(document["ms"]),
        outcome=TryOutcome(document["outcome"]),
        status=document.get("status"),
        error=document.get("error"),
        answer=document.get("answer", ""),
        stream=document.get("stream", "live"),
        next_at=document.get("next_at"),
    )


def letter_write(letter: DeadLetter) -> VersionedWrite:
    """Make or replace a dead letter."""
    values: dict[str, Any] = {
        "endpoint": letter.endpoint_id,
        "event": letter.event_id,
        "type": letter.event_type,
        "number": letter.number,
        "seq": letter.seq,
        "order": letter.order,
        "at": letter.at,
        "reason": letter.reason,
        "attempts": letter.attempt_count,
    }
    if letter.last_status is not None:
        values["last_status"] = letter.last_status
    return VersionedWrite(DEAD_LETTERS, letter.id, None, set=values, upsert=True)


def letter_record(document: Mapping[str, Any]) -> DeadLetter:
    """The dead letter of a stored document."""
    return DeadLetter(
        endpoint_id=document["endpoint"],
        event_id=document["event"],
        event_type=document["type"],
        number=document["number"],
        seq=int(document["seq"]),
        order=int(document["order"]),
        at=document["at"],
        reason=document["reason"],
        attempt_count=int(document["attempts"]),
        last_status=document.get("last_status"),
    )
