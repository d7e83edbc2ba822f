"""Rate limits: buckets for each number and pair, holds that end by themselves, daily limits, quiet hours.

Process: whatsapp. Pure: callers pass the time as seconds since 1970; no I/O.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.messages import Hold

MAX_PAIRS = 100_000
DAY_S = 86_400.0
RESERVED_S = 60.0
"""How far ahead sends may be reserved: longer than all concurrent sends need at the slowest rate in use."""


@dataclass(slots=True)
class Bucket:
    """A leaky bucket (GCRA): one in ``period_s``, up to ``burst`` at once. ``tat``: when it is empty again.

    If the clock jumps back, it never waits longer than a full bucket takes to empty, plus a minute.
    """

    period_s: float
    burst: int
    tat: float = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until one more fits; 0 when it fits now."""
        self._cap(now)
        return max(0.0, self.tat - (self.burst - 1) * self.period_s - now)

    def take(self, now: float) -> float:
        """Count one more, even if it does not fit yet; return the seconds to wait before it may leave."""
        wait_s = self.wait_s(now)
        self.tat = max(self.tat, now) + self.period_s
        return wait_s

    def borrowed(self, now: float) -> int:
        """How many the bucket holds."""
        self._cap(now)
        return max(0, round((self.tat - now) / self.period_s))

    def _cap(self, now: float) -> None:
        self.tat = min(self.tat, now + self.burst * self.period_s + RESERVED_S)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """No bulk messages from ``begins`` to ``ends`` in the time zone ``zone``; may span midnight."""

    begins: time
    ends: time
    zone: str

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """Parse ``21:00-08:00 America/Mexico_City``. Raises ``ValueError``."""
        hours, _, zone = text.strip().partition(" ")
        begins, _, ends = hours.partition("-")
        return cls(time.fromisoformat(begins), time.fromisoformat(ends), ZoneInfo(zone.strip()).key)

    def over_at(self, now: datetime) -> datetime | None:
        """Return when the quiet hours around ``now`` (aware) end, in UTC; None outside quiet hours."""
        zone = ZoneInfo(self.zone)
        local = now.astimezone(zone)
        for day in (local.date() - timedelta(days=1), local.date()):
            begins = datetime.combine(day, self.begins, zone)
            last_day = day if self.ends > self.begins else day + timedelta(days=1)
            ends = datetime.combine(last_day, self.ends, zone)
            if begins <= local < ends:
                return ends.astimezone(UTC)
        return None


@dataclass(frozen=True, slots=True)
class SendLimits:
    """The limits of one number. ``daily_recipients`` 0: no limit."""

    per_s: float
    pair_period_s: float
    pair_burst: int
    daily_recipients: int = 0
    quiet_hours: QuietHours | None = None


@dataclass(slots=True)
class _NumberState:
    bucket: Bucket
    limits: SendLimits
    hold: Hold | None = None
    is_paused: bool = False
    refusals: int = 0
    initiated: OrderedDict[str, float] = field(default_factory=OrderedDict)


class RateLimiter:
    """Limits of every number and pair. The caller stores what must survive a restart, and passes it in again."""

    def __init__(self, monotonic: Callable[[], float] | None = None) -> None:
        """With ``monotonic`` (seconds) the buckets ignore changes of the wall clock."""
        self._monotonic = monotonic
        self._began: float | None = None
        self._ahead_s = 0.0  # the buckets' time less the clock's
        self._numbers: dict[str, _NumberState] = {}
        self._pairs: OrderedDict[tuple[str, str], Bucket] = OrderedDict()
        self._pair_holds: dict[tuple[str, str], Hold] = {}

    def set_number(self, number: str, limits: SendLimits, *, hold: Hold | None, is_paused: bool) -> None:
        """Add a number, or replace its limits, hold and pause; its buckets stay."""
        bucket = Bucket(1 / limits.per_s, max(1, round(limits.per_s)))
        state = self._numbers.get(number)
        if state is None:
            self._numbers[number] = _NumberState(bucket, limits, hold, is_paused)
        else:
            bucket.tat = state.bucket.tat
            state.bucket, state.limits, state.hold, state.is_paused = bucket, limits, hold, is_paused

    def set_limits(self, number: str, limits: SendLimits) -> None:
        """Replace the limits of a number; its buckets, hold and pause stay."""
        state = self._numbers[number]
        self.set_number(number, limits, hold=state.hold, is_paused=state.is_paused)

    def rate_per_s(self, number: str) -> float:
        """Messages per second that this number may send."""
        return self._numbers[number].limits.per_s

    def number_hold(self, number: str, now: datetime) -> Hold | None:
        """Return why the whole number waits; None if it may send. A hold that has run out counts as none."""
        state = self._numbers[number]
        if state.is_paused:
            return Hold("paused", None)
        return None if _has_ended(state.hold, now) else state.hold

    def take_ended_holds(self, now: datetime) -> list[tuple[str, Hold]]:
        """Return the holds of numbers that have run out, each once."""
        ended = []
        for number, state in self._numbers.items():
            if state.hold is not None and _has_ended(state.hold, now):
                ended.append((number, state.hold))
                state.hold = None
        return ended

    def hold_number(self, number: str, hold: Hold) -> bool:
        """Hold a number; False when it is held at least as long already."""
        state = self._numbers[number]
        state.refusals += 1
        before = state.hold
        if before is not None and (before.until is None or (hold.until is not None and hold.until <= before.until)):
            return False
        state.hold = hold
        return True

    def release_number(self, number: str) -> bool:
        """Lift the hold of a number; False if there was none."""
        state = self._numbers[number]
        had_one, state.hold = state.hold is not None, None
        return had_one

    def refusals_of(self, number: str) -> int:
        """Refusals of the platform in a row: the exponent of the next hold."""
        return self._numbers[number].refusals

    def went_well(self, number: str) -> None:
        """The platform accepted a message: the next hold is short again."""
        self._numbers[number].refusals = 0

    def set_paused(self, number: str, *, is_paused: bool) -> None:
        """An operator pauses or resumes a number."""
        self._numbers[number].is_paused = is_paused

    def quiet_until(self, number: str, now: datetime) -> datetime | None:
        """Return when the quiet hours of this number end; None outside quiet hours."""
        quiet = self._numbers[number].limits.quiet_hours
        return quiet.over_at(now) if quiet else None

    def pair_hold(self, number: str, contact: str, now: datetime) -> Hold | None:
        """Return why this pair waits; None if it may send."""
        hold = self._pair_holds.get((number, contact))
        if hold is not None:
            if hold.until is not None and hold.until > now:
                return hold
            del self._pair_holds[number, contact]
        bucket = self._pairs.get((number, contact))
        wait_s = bucket.wait_s(self._steady(now.timestamp())) if bucket else 0.0
        return Hold("pair_rate", now + timedelta(seconds=wait_s)) if wait_s > 0 else None

    def hold_pair(self, number: str, contact: str, hold: Hold) -> None:
        """Hold one pair: the platform asked for it."""
        self._pair_holds[number, contact] = hold

    def daily_hold(self, number: str, contact: str, now: datetime) -> Hold | None:
        """Return the hold of the daily limit for a contact outside the window; None if it may be written to first."""
        state = self._numbers[number]
        limit = state.limits.daily_recipients
        if not limit:
            return None
        oldest_allowed = now.timestamp() - DAY_S
        while state.initiated and next(iter(state.initiated.values())) <= oldest_allowed:
            state.initiated.popitem(last=False)
        if contact in state.initiated or len(state.initiated) < limit:
            return None
        free_at = next(iter(state.initiated.values())) + DAY_S
        return Hold("daily_recipients", datetime.fromtimestamp(free_at, UTC))

    def take(self, number: str, contact: str, now: float, *, is_initiation: bool) -> float:
        """Count one message that leaves now; return the seconds it must still wait for the number's own rate."""
        state = self._numbers[number]
        pair = self._pairs.get((number, contact))
        if pair is None:
            pair = self._pairs[number, contact] = Bucket(state.limits.pair_period_s, state.limits.pair_burst)
            if len(self._pairs) > MAX_PAIRS:
                self._pairs.popitem(last=False)
        else:
            self._pairs.move_to_end((number, contact))
        steady = self._steady(now)
        pair.take(steady)
        if is_initiation and state.limits.daily_recipients and contact not in state.initiated:
            state.initiated[contact] = now
        return state.bucket.take(steady)

    def pair_tat(self, number: str, contact: str) -> float | None:
        """Return when the pair's bucket is empty, in seconds since 1970: store it to survive a restart."""
        pair = self._pairs.get((number, contact))
        return pair.tat - self._ahead_s if pair else None

    def remember_pair(self, number: str, contact: str, tat: float) -> None:
        """Restore a pair's bucket from the ``tat`` that the last owner stored."""
        if (number, contact) not in self._pairs:
            limits = self._numbers[number].limits
            self._pairs[number, contact] = Bucket(limits.pair_period_s, limits.pair_burst, tat + self._ahead_s)

    def merge_pairs(self, number: str, *, into: str, absorbed: str, now: float) -> None:
        """Merge two contacts: their sends add up, and a hold of either holds both."""
        now = self._steady(now)
        bucket, own = self._pairs.pop((number, absorbed), None), self._pairs.get((number, into))
        if bucket is not None and own is not None:
            own.tat = max(own.tat, now) + max(0.0, bucket.tat - now)
        elif bucket is not None:
            self._pairs[number, into] = bucket
        holds = [self._pair_holds.pop((number, absorbed), None), self._pair_holds.get((number, into))]
        asked = [hold for hold in holds if hold is not None]
        if asked:
            self._pair_holds[number, into] = max(asked, key=lambda hold: hold.until.timestamp() if hold.until else 0.0)
        initiated = self._numbers[number].initiated
        if absorbed in initiated:
            renamed = [(into if contact == absorbed else contact, at) for contact, at in initiated.items()]
            initiated.clear()
            for contact, at in renamed:
                initiated.setdefault(contact, at)

    def initiated_at(self, number: str, contact: str) -> float | None:
        """Return when the daily limit counted this contact, in seconds since 1970: store it to survive a restart."""
        return self._numbers[number].initiated.get(contact)

    def remember_initiated(self, number: str, contacts: list[tuple[str, float]]) -> None:
        """Restore the daily limit: contacts written to first in the last day, oldest first, with seconds since 1970."""
        self._numbers[number].initiated.update(contacts)

    def _steady(self, now: float) -> float:
        """Return ``now`` on a clock that starts as the wall clock and is never set."""
        if self._monotonic is None:
            return now
        elapsed_s = self._monotonic()
        if self._began is None:
            self._began = now - elapsed_s
        self._ahead_s = self._began + elapsed_s - now
        return self._began + elapsed_s


def _has_ended(hold: Hold | None, now: datetime) -> bool:
    return hold is not None and hold.until is not None and hold.until <= now


class Turns:
    """At most ``limit`` concurrent sends: transactional before bulk, but one bulk for every few transactional."""

    BULK_EVERY = 5

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiting: dict[bool, deque[object]] = {False: deque(), True: deque()}
        self._in_a_row = 0

    @property
    def free(self) -> int:
        """Turns not taken."""
        return self._free

    def ask(self, token: object, *, is_bulk: bool) -> bool:
        """Take a turn. False when none is free: the token waits, and ``give_back`` will return it."""
        if self._free > 0:
            self._free -= 1
            return True
        self._waiting[is_bulk].append(token)
        return False

    def give_back(self) -> object | None:
        """Give a turn back. Returns the waiting token that gets it; None if none waits."""
        urgent, bulk = self._waiting[False], self._waiting[True]
        takes_bulk = bool(bulk) and (not urgent or self._in_a_row >= self.BULK_EVERY - 1)
        queue = bulk if takes_bulk else urgent
        if not queue:
            self._free += 1
            return None
        self._in_a_row = 0 if takes_bulk else self._in_a_row + 1
        return queue.popleft()

    def forget(self, token: object) -> bool:
        """Remove a waiting token. False when it has its turn already, or never asked."""
        for queue in self._waiting.values():
            if token in queue:
                queue.remove(token)
                return True
        return False
