"""What the lower packages count: they call a `Meter`, or keep a `PoolUse`, and do not know who reads it.

Process: worker, whatsapp.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

DuplicateKind = Literal["idempotency_key", "insert", "inbound", "status"]
"""What came twice: a request with the same Idempotency-Key; our own insert whose answer got lost; a customer's
message; a status that changed nothing (the echo of `sent`, which every message has, left out)."""


@dataclass(slots=True)
class PoolUse:
    """A pool of database connections and the gate before it: operations at work, waiting, and since the start."""

    limit: int = 0
    in_use: int = 0
    waiting: int = 0
    operations: int = 0
    documents: int = 0
    waited_s: float = 0.0
    errors: int = 0
    open: int = 0
    """Open connections, monitors not counted."""


class Meter(Protocol):
    """Called on the hot paths: each call must be cheap and must not fail."""

    def database_ran(self, *, documents: int) -> None:
        """One operation went to the database, with so many documents in it."""
        ...

    def database_waited(self) -> None:
        """An operation had to wait for a connection of the pool."""
        ...

    def database_failed(self) -> None:
        """An operation failed in a way that may pass."""
        ...

    def accepted(self, phone_number_id: str) -> None:
        """A message is stored and will be sent."""
        ...

    def suppressed(self, kind: DuplicateKind) -> None:
        """Something came twice and had one effect."""
        ...


class SilentMeter:
    """Counts nothing: for tools and tests."""

    def database_ran(self, *, documents: int) -> None:
        pass

    def database_waited(self) -> None:
        pass

    def database_failed(self) -> None:
        pass

    def accepted(self, phone_number_id: str) -> None:
        pass

    def suppressed(self, kind: DuplicateKind) -> None:
        pass


SILENT = SilentMeter()
