"""An event writer that checks, numbers and remembers facts, and writes nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.store import Fact, VersionedWrite
from tests.doubles.event_check import check_facts

NUMBER = "106540352242922"


@dataclass
class Noted:
    """What was recorded together, with the two promises of an entry."""

    facts: list[Fact]
    marks: list[VersionedWrite]
    durable: "asyncio.Future[None]"
    applied: "asyncio.Future[None]"


@dataclass
class MemoryEventWriter:
    """Everything is durable and applied at once, unless `is_held_back`: then `let_go` does it."""

    seqs: dict[str, int] = field(default_factory=lambda: {NUMBER: 0})
    entries: list[Noted] = field(default_factory=list)
    is_held_back: bool = False

    def record(self, facts: Sequence[Fact], marks: Sequence[VersionedWrite] = ()) -> Noted:
        loop = asyncio.get_running_loop()
        check_facts(facts)
        for fact in facts:
            self.seqs[fact.number] += 1
        noted = Noted(list(facts), list(marks), loop.create_future(), loop.create_future())
        self.entries.append(noted)
        if not self.is_held_back:
            self.let_go()
        return noted

    def let_go(self) -> None:
        for noted in self.entries:
            for promise in (noted.durable, noted.applied):
                if not promise.done():
                    promise.set_result(None)

    @property
    def facts(self) -> list[Fact]:
        return [fact for noted in self.entries for fact in noted.facts]

    @property
    def marks(self) -> list[VersionedWrite]:
        return [mark for noted in self.entries for mark in noted.marks]

    def types(self, message_id: str | None = None) -> list[str]:
        """Types of the facts about a message (or all), in order."""
        return [fact.type for fact in self.facts if message_id in (None, fact.data.get("message_id"))]
