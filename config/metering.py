"""What is worth counting, as the rooms below the cluster see it: they call a meter, and never know who listens.

Process: worker, whatsapp.
"""

from typing import Literal, Protocol

DuplicateKind = Literal["idempotency_key", "insert", "inbound", "status"]
"""What came twice: a request with the same Idempotency-Key; our own insert whose answer got lost; a customer's
message; a status that changed nothing (the echo of `sent`, which every message has, left out)."""


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
    """Counts nothing: tools, tests."""

    def database_ran(self, *, documents: int) -> None:
        """Nobody listens."""

    def database_waited(self) -> None:
        """Nobody listens."""

    def database_failed(self) -> None:
        """Nobody listens."""

    def accepted(self, phone_number_id: str) -> None:
        """Nobody listens."""

    def suppressed(self, kind: DuplicateKind) -> None:
        """Nobody listens."""


SILENT = SilentMeter()
