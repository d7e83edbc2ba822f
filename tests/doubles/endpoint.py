"""Subscribers without a network: each URL answers from its own script, and remembers what it was sent and when."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from services.store import Event, Fact, VersionedWrite
from services.webhook_endpoints.envelope import Envelope
from services.webhook_endpoints.sender import Answer
from tests.doubles.event_check import check_facts

OK = Answer(status=200, error=None, duration_ms=1, body="ok")
Script = Callable[[int, dict[str, Any]], Answer | float]
"""From the number of the try (1, 2 …) and the body to the answer, or the seconds to hang before a good one."""


@dataclass
class Received:
    """One try as the subscriber saw it."""

    at_s: float
    url: str
    body: dict[str, Any]
    headers: dict[str, str]
    was_taken: bool


@dataclass
class ScriptedSender:
    """A `Sender`. A URL without a script takes everything."""

    scripts: dict[str, Script] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    flying: int = 0
    most_flying: int = 0

    async def send(self, url: str, envelope: Envelope) -> Answer:
        body = orjson.loads(envelope.body)
        at_s = asyncio.get_running_loop().time()
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        try:
            script = self.scripts.get(url)
            count = sum(1 for one in self.received if one.url == url) + 1
            answer = script(count, body) if script else OK
            if not isinstance(answer, Answer):
                await asyncio.sleep(answer)
                answer = OK
            else:
                await asyncio.sleep(0.001)
            self.received.append(Received(at_s, url, body, dict(envelope.headers), answer.is_delivered))
            return answer
        finally:
            self.flying -= 1

    def taken(self, url: str) -> list[int]:
        """The numbers of the events that this URL took, in order of arrival."""
        return [one.body["seq"] for one in self.received if one.url == url and one.was_taken]

    def tries(self, url: str, seq: int) -> list[float]:
        """When this event was tried there."""
        return [one.at_s for one in self.received if one.url == url and one.body["seq"] == seq]


@dataclass
class FactRecorder:
    """An event writer that checks facts and remembers them, and numbers nothing."""

    facts: list[Fact] = field(default_factory=list)

    def record(self, facts: list[Fact], marks: list[VersionedWrite] | tuple[()] = ()) -> None:
        check_facts(facts)
        self.facts += facts

    def types(self) -> list[str]:
        return [fact.type for fact in self.facts]


def failing(status: int | None, *, retry_after_s: float | None = None) -> Answer:
    """An answer that is not a delivery."""
    error = None if status else "no answer within 15 s"
    return Answer(status=status, error=error, duration_ms=5, body="no", retry_after_s=retry_after_s)


def log_of(*conversations: str, number: str = "1555", at: datetime | None = None) -> list[Event]:
    """Events 1, 2, 3 … of a number, each in the conversation that is named."""
    moment = at or datetime.fromisoformat("2026-01-02T03:04:05+00:00")
    return [
        Event(f"evt_{seq}", number, seq, "message.sent", moment, {"n": seq}, conversation)
        for seq, conversation in enumerate(conversations, 1)
    ]
