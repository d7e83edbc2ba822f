"""The event writer as this noun sees it.

Process: whatsapp.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from services.store import Fact, VersionedWrite


class Recorded(Protocol):
    """Facts on their way into the log."""

    @property
    def durable(self) -> "asyncio.Future[None]":
        """Done when the facts stand in the log."""
        ...


class Recorder(Protocol):
    """Numbers facts and writes them soon."""

    def record(self, facts: Sequence[Fact], marks: Sequence[VersionedWrite] = ()) -> Recorded:
        """Number the facts now; await ``durable`` before acting on them outside."""
        ...
