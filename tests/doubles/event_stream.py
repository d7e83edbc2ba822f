"""A change stream that a test drives by hand."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.store import Event


@dataclass
class ScriptedStream:
    """An `EventStream`. `works` False: a server without change streams."""

    works: bool = True
    is_streaming: bool = False
    is_stopped: bool = False
    listener: Callable[[list[Event]], None] | None = None
    told: list[int] = field(default_factory=list)

    def start(self, listener: Callable[[list[Event]], None]) -> None:
        self.listener = listener
        self.is_streaming = self.works

    async def wait_open(self, limit_s: float) -> bool:
        if not self.works:
            await asyncio.sleep(limit_s)
        return self.works

    def stop(self) -> None:
        self.is_stopped = True
        self.is_streaming = False

    def say(self, *events: Event) -> None:
        assert self.listener is not None
        self.told += [event.seq for event in events]
        if not self.is_stopped:
            self.listener(list(events))


def event_document(event: Event) -> dict[str, Any]:
    """As the log stores it."""
    return {
        "_id": event.id,
        "number": event.number,
        "seq": event.seq,
        "type": event.type,
        "at": event.at,
        "data": event.data,
        "conversation": event.conversation_id,
    }
