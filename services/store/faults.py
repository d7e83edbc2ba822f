"""The driver's failures in our terms: may it pass, is the database full, can the write never succeed?

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from config.errors import PanalError, Unavailable
from services.store.driver import BulkWriteError, OperationFailure

DUPLICATE_KEY: Final = 11000
OUT_OF_DISK_SPACE: Final = 14031
FULL_SIGNS: Final = ("over your space quota", "no space left on device", "enospc")
FULL_RETRY_S: Final = 60.0
"""Seconds. A full database is not emptied soon: a caller need not retry earlier."""


class DatabaseUnavailable(Unavailable):
    """The database did not answer in time, or cannot be reached. Nothing is known to be lost."""

    code = "database_unavailable"
    was_sent: bool = True
    """May the operation have been applied all the same?"""
    has_timed_out: bool = False
    """Its time was up. Another try at once would wait as long again."""


class StorageFull(DatabaseUnavailable):
    """The database refuses writes because it has no space left: an outage for what is written."""

    code = "storage_full"
    was_sent = False
    default_text = "The database is full, so this was not stored. The operator has to make room; then send it again."

    def __init__(self, *, detail: str | None = None) -> None:
        """``detail`` is what the server said."""
        super().__init__(detail=detail, retry_after_s=FULL_RETRY_S)


class DatabaseBusy(Unavailable):
    """More operations wait in this process than its pool can serve in the allowed time."""

    code = "database_busy"


class WriteRefused(PanalError):
    """The database will never take one write of an ordered bulk: those before ``position`` are applied, none after it.

    ``position`` None: the driver could not even encode one of them, and cannot say which.
    """

    code = "write_refused"
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One document of an insert met a unique index. ``index`` is its position in what was given."""

    index: int
    message: str


def is_full(code: int | None, message: str) -> bool:
    """Does the server refuse a write because it has no space left?

    14031 is MongoDB's OutOfDiskSpace. 8000 is any error of Atlas itself; the quota is told by its words, "you are over
    your space quota". A storage engine passes on the words of the operating system.
    Source: MongoDB, "Error codes"; Atlas, "Free cluster limits".
    """
    words = message.lower()
    return code == OUT_OF_DISK_SPACE or any(sign in words for sign in FULL_SIGNS)


def full_fault(error: BulkWriteError) -> str | None:
    """What the server said of the first write that found no space; None when there is none."""
    details: Mapping[str, Any] = error.details or {}
    for fault in (*details.get("writeErrors", []), *details.get("writeConcernErrors", [])):
        code, message = fault.get("code"), str(fault.get("errmsg", ""))
        if code != DUPLICATE_KEY and is_full(code, message):
            return message or f"code {code}"
    return None


def passes(error: OperationFailure) -> bool:
    """Is this failure one that may pass by itself (stepping down, interrupted, shutting down)?

    64 is a write that too few members confirmed in time; 8000 is Atlas itself (over a limit of the free tier).
    """
    passing = {6, 7, 50, 64, 89, 91, 133, 189, 262, 8000, 9001, 10107, 11600, 11602, 13435, 13436, 112, 251}
    # The embedded engine stops at the first write that it cannot make, its disk full or damaged: WT_PANIC until it is
    # started again.
    return (error.code in passing) or "WT_PANIC" in str(error) or error.has_error_label("RetryableWriteError")


NEVER: Final = frozenset({14, 17, 22, 121, 10334, 17280, 17419})
"""A write that carries one of these will be refused every time: bad type or BSON, document validation, an object
that is, or would grow, too large, a key too large for its index. https://www.mongodb.com/docs/manual/reference/error-codes/
"""


def refused_by(error: BulkWriteError) -> WriteRefused | None:
    """The first write that the database will never take; None when the failure is of another kind."""
    found: list[dict[str, Any]] = (error.details or {}).get("writeErrors") or []
    if not found or found[0].get("code") not in NEVER:
        return None
    refused = WriteRefused("The database refuses a write.", detail=str(found[0].get("errmsg"))[:500])
    refused.position = int(found[0]["index"])
    return refused


def duplicates(error: BulkWriteError) -> list[Duplicate]:
    """The documents that a unique index refused. Raises ``DatabaseUnavailable`` for any other failure of a bulk."""
    details = error.details or {}
    if details.get("writeConcernErrors"):
        # The primary has it, most members do not: a change of primary may still lose it.
        raise DatabaseUnavailable("The database did not confirm a write.", detail=str(details)[:2000]) from error
    faults = details.get("writeErrors", [])
    others = [fault for fault in faults if fault.get("code") != DUPLICATE_KEY]
    if others:
        raise DatabaseUnavailable("The database refused a write.", detail=str(others[0])[:2000]) from error
    return [Duplicate(index=int(fault["index"]), message=str(fault.get("errmsg", ""))) for fault in faults]
