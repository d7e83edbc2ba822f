"""Keeps what we know of numbers in step with WhatsApp: name, quality, messaging limit, throughput.

Process: whatsapp.
"""

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from config.clock import Clock
from config.errors import PanalError
from services.cloud_webhook import AccountUpdate, NumberUpdate, PlatformErrors, UnknownChange, UserPreference
from services.graph import GraphAccess, NumberInfo
from services.numbers.events import Notice, facts_of
from services.numbers.projection import NOTICE
from services.numbers.records import Number, recipients_of
from services.numbers.repository import NOTICES_KEPT, NumberRepository, number_write, short_key
from services.numbers.state import NumberState
from services.store import Fact, Recorder, VersionedWrite

log = logging.getLogger(__name__)

FIRST_TRY_AGAIN_S: Final = 5.0
UNKNOWN_QUALITY: Final = "UNKNOWN"

_EVENT_OF: Final = {
    "verified_name": "number.name_changed",
    "quality": "number.quality_changed",
    "messaging_limit": "number.limit_changed",
    "throughput": "number.limit_changed",
}


class NumberSync:
    """Hears what the cloud webhook tells of numbers, and reads each account at the start, seldom, and after news."""

    def __init__(
        self, state: NumberState, graph: GraphAccess, recorder: Recorder, clock: Clock, *, every_s: float
    ) -> None:
        """Nothing is read yet."""
        self._state = state
        self._graph = graph
        self._recorder = recorder
        self._clock = clock
        self._every_s = every_s
        accounts = dict.fromkeys(number.waba_id for number in state if number.link != "web")
        self._due_at = dict.fromkeys(accounts, clock.monotonic())
        self._seen: dict[str, OrderedDict[str, None]] = {number.phone_number_id: OrderedDict() for number in state}

    def on_changes(self, changes: Sequence[object]) -> list[Fact]:
        """The facts of these notifications; a copy of one makes none. Memory alone, so it cannot fail."""
        facts: list[Fact] = []
        for change in changes:
            if not isinstance(change, NumberUpdate | AccountUpdate | PlatformErrors | UserPreference | UnknownChange):
                continue
            told = self._news_of(change)
            facts += told
            if isinstance(change, UserPreference | UnknownChange):
                continue  # a customer, a call, a group: no news of the number that would be worth a reading
            for number in {fact.number for fact in told}:
                known = self._state.get(number)
                if known is not None and known.waba_id in self._due_at:
                    self._due_at[known.waba_id] = self._clock.monotonic()
        return facts

    async def recall(self, repository: NumberRepository) -> None:
        """Know what earlier owners told of, before the first notification is read. Raises ``Unavailable``."""
        for number, keys in (await repository.notices(list(self._seen))).items():
            self._seen[number].update(dict.fromkeys(reversed(keys)))

    def _news_of(self, change: Notice) -> list[Fact]:
        """The facts of one change, without those that stand in the log of their number already."""
        key, now = short_key(change.content_key), self._clock.now()
        known = {number for number, seen in self._seen.items() if key in seen}
        if known and all(fact.number in known for fact in facts_of(change, NumberState(list(self._state)), now) or ()):
            return []  # looked at in a copy of the state: an old notice must not undo what came after it
        news = [fact for fact in facts_of(change, self._state, now) or () if fact.number not in known]
        # The last fact of each number carries the key: if the log was cut off before it, all are told again.
        last = {fact.number: position for position, fact in enumerate(news)}
        for number, position in last.items():
            news[position] = replace(news[position], data={**news[position].data, NOTICE: change.content_key})
            seen = self._seen[number]
            seen[key] = None
            if len(seen) > NOTICES_KEPT:
                seen.popitem(last=False)
        return news

    async def step(self) -> int:
        """The background task: read what is due. A failure is logged, and tried again sooner than the next time."""
        for waba_id, due_at in self._due_at.items():
            if self._clock.monotonic() < due_at:
                continue
            self._due_at[waba_id] = self._clock.monotonic() + self._every_s
            home = self._state.of_account(waba_id)[0].phone_number_id
            try:
                infos = await self._graph.management.numbers(waba_id, self._graph.token_of(home))
            except PanalError as error:
                self._due_at[waba_id] = self._clock.monotonic() + min(FIRST_TRY_AGAIN_S, self._every_s)
                log.warning(
                    "The numbers of an account could not be read.",
                    extra={"action": "number.sync_failed", "waba_id": waba_id, "detail": str(error)},
                )
                continue
            facts, writes = self._learn(infos, self._clock.now())
            if facts or writes:
                await self._recorder.record(facts, writes).applied
        return 0

    def _learn(self, infos: Sequence[NumberInfo], now: datetime) -> tuple[list[Fact], list[VersionedWrite]]:
        """What differs. What was not known before is no news: it is written, and nobody is told."""
        facts: list[Fact] = []
        writes: list[VersionedWrite] = []
        for info in infos:
            number = self._state.get(info.id)
            if number is None:
                continue
            changes = {name: value for name, value in _state(info).items() if value and _differs(number, name, value)}
            if not changes:
                continue
            self._state.change(number.phone_number_id, **changes)
            writes.append(number_write(number.phone_number_id, changes))
            facts += _news(number, changes, now)
        return facts, writes


def _state(info: NumberInfo) -> dict[str, str | None]:
    return {
        "verified_name": info.verified_name,
        "quality": info.quality_rating,
        "messaging_limit": info.messaging_limit,
        "throughput": info.throughput_level,
    }


def _differs(number: Number, name: str, value: str) -> bool:
    before = getattr(number, name)
    if name == "messaging_limit" and recipients_of(before) is not None:
        return recipients_of(value) != recipients_of(before)  # a notification may say it in other words
    return bool(value != before)


def _news(number: Number, changes: Mapping[str, str], now: datetime) -> list[Fact]:
    by_type: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        before = getattr(number, name)
        if before in (None, UNKNOWN_QUALITY):
            continue
        data = by_type.setdefault(
            _EVENT_OF[name], {"display_phone_number": number.display_phone_number, "waba_id": number.waba_id}
        )
        data |= {name: value, f"previous_{name}": before}
    return [Fact(kind, number.phone_number_id, now, data) for kind, data in by_type.items()]
