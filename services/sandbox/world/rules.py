"""Fault rules: which calls go wrong, how often, and how.

Process: sandbox.
"""

import random
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.sandbox.wire.shapes import Json, digits_of
from services.sandbox.world.shelf import Shelf
from services.sandbox.world.storage import Storage

_STRICT = ConfigDict(extra="forbid", frozen=True)


class Match(BaseModel):
    """Which calls: a part of the path, the recipient, the message type. What is left out fits everything."""

    model_config = _STRICT
    path: str | None = None
    to: str | None = None
    type: str | None = None

    def fits(self, path: str, to: str | None, kind: str | None) -> bool:
        if self.path is not None and self.path not in path:
            return False
        if self.type is not None and self.type != kind:
            return False
        return self.to is None or self.to == to or (to is not None and digits_of(self.to) == to)


class When(BaseModel):
    """How often, among the calls that match: the next N, every Nth, or by chance. Empty is always."""

    model_config = _STRICT
    next: int | None = Field(default=None, ge=1)
    every: int | None = Field(default=None, ge=1)
    probability: float | None = Field(default=None, ge=0, le=1)
    seed: int = 0

    @model_validator(mode="after")
    def _one_of_them(self) -> "When":
        if sum(value is not None for value in (self.next, self.every, self.probability)) > 1:
            raise ValueError("give one of next, every, probability")
        return self


class Then(BaseModel):
    """What happens. Several may be combined."""

    model_config = _STRICT
    error: int | None = Field(default=None, ge=0)
    """A Graph error code; late codes (131026, 131047 …) come as a `failed` status, the others in the answer."""
    late: bool | None = None
    """Overrides when the error comes: true = as a `failed` status, false = in the answer."""
    subcode: int | None = None
    details: str | None = Field(default=None, max_length=1000)
    retry_after_s: int | None = Field(default=None, ge=0)
    """Puts `Retry-After` on the error's answer."""
    status: int | None = Field(default=None, ge=400, le=599)
    """This HTTP status with a page of HTML, as a broken proxy answers; the call is not accepted."""
    delay_ms: int | None = Field(default=None, ge=0, le=600_000)
    """The answer leaves this much later; the call was accepted (and its statuses may be out) before."""
    drop_answer: bool = False
    """The call is accepted, then the connection is cut without an answer."""
    duplicate_webhooks: int | None = Field(default=None, ge=1, le=20)
    """Each notification about this message comes this many times more."""
    shuffle_webhooks: bool = False
    """The notifications about this message come in any order, mixed with those of other messages."""

    @model_validator(mode="after")
    def _something(self) -> "Then":
        if not self.model_dump(exclude_none=True, exclude_defaults=True):
            raise ValueError("say what happens: error, status, delay_ms, drop_answer, duplicate_webhooks or …")
        return self


class Rule(BaseModel):
    """One rule, as a test posts it."""

    model_config = _STRICT
    match: Match = Match()
    when: When | Literal["always"] = "always"
    then: Then


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all fitting rules together say about one call. The first rule that names an error or status wins."""

    error: Then | None = None
    http_status: int | None = None
    delay_ms: int = 0
    drop_answer: bool = False
    extra_copies: int = 0
    shuffles: bool = False


NOTHING = Verdict()


class Rules:
    """The rules in the order in which they were made, with how often each matched and fired."""

    def __init__(self, storage: Storage) -> None:
        self._shelf = Shelf(storage, "rule")
        self._rules: dict[str, tuple[Rule, random.Random]] = {}
        self._next_id = 1

    def load(self) -> None:
        self._shelf.load()
        self._rules = {}
        for rule_id, thing in self._shelf.items():
            rule = Rule.model_validate(thing["rule"])
            chance = _chance(rule)
            for _ in range(thing["seen"] if isinstance(rule.when, When) and rule.when.probability is not None else 0):
                chance.random()
            self._rules[rule_id] = (rule, chance)
        self._next_id = max((int(rule_id) for rule_id in self._rules), default=0) + 1

    def add(self, rule: Rule) -> str:
        rule_id = str(self._next_id)
        self._next_id += 1
        self._rules[rule_id] = (rule, _chance(rule))
        self._shelf.put(rule_id, {"rule": rule.model_dump(), "seen": 0, "fired": 0})
        return rule_id

    def drop(self, rule_id: str) -> bool:
        self._rules.pop(rule_id, None)
        return self._shelf.drop(rule_id)

    def clear(self) -> None:
        self._rules.clear()
        self._shelf.clear()

    def __len__(self) -> int:
        return len(self._rules)

    def listed(self) -> list[Json]:
        return [
            {"id": rule_id, **rule.model_dump(exclude_none=True), **self._counts(rule_id)}
            for rule_id, (rule, _) in self._rules.items()
        ]

    def decide(self, path: str, to: str | None, kind: str | None) -> Verdict:
        """Count this call against every rule and say what happens to it."""
        if not self._rules:
            return NOTHING
        effects = [
            rule.then
            for rule_id, (rule, chance) in self._rules.items()
            if rule.match.fits(path, to, kind) and self._fires(rule_id, rule, chance)
        ]
        if not effects:
            return NOTHING
        refusal = next((one for one in effects if one.error is not None or one.status is not None), None)
        return Verdict(
            error=refusal if refusal is not None and refusal.error is not None else None,
            http_status=refusal.status if refusal is not None and refusal.error is None else None,
            delay_ms=sum(one.delay_ms or 0 for one in effects),
            drop_answer=any(one.drop_answer for one in effects),
            extra_copies=sum(one.duplicate_webhooks or 0 for one in effects),
            shuffles=any(one.shuffle_webhooks for one in effects),
        )

    def _fires(self, rule_id: str, rule: Rule, chance: random.Random) -> bool:
        counts = self._counts(rule_id)
        seen, fired = counts["seen"] + 1, counts["fired"]
        fires = True
        if isinstance(rule.when, When):
            if rule.when.next is not None:
                fires = fired < rule.when.next
            elif rule.when.every is not None:
                fires = seen % rule.when.every == 0
            elif rule.when.probability is not None:
                fires = chance.random() < rule.when.probability
        self._shelf.put(rule_id, {"rule": rule.model_dump(), "seen": seen, "fired": fired + fires})
        return fires

    def _counts(self, rule_id: str) -> dict[str, Any]:
        thing = self._shelf.get(rule_id) or {"seen": 0, "fired": 0}
        return {"seen": thing["seen"], "fired": thing["fired"]}


def _chance(rule: Rule) -> random.Random:
    seed = rule.when.seed if isinstance(rule.when, When) else 0
    return random.Random(seed)  # noqa: S311 - repeatable chance is the point
