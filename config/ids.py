"""Ids that carry their kind and sort by time: `msg_01J…`. And plain integers that sort by time.

Process: all of them.

Their time is the wall clock's, but it never falls: when the machine's clock is set back, all processes go on counting
from where it was. Main hands that on to each process it starts, so a new one counts as the older ones do.
"""

import os
import threading
import time
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U. Its order is ASCII's order, so text sorts as the numbers do."""

_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
"""Ten bits at a time: half the steps of five."""

ULID_LENGTH = 26
RANDOM_BITS = 80
_RANDOM_LIMIT = 1 << RANDOM_BITS

AHEAD_MS = 60_000
ORDER_TIME_BITS = 43
ORDER_REST_BITS = 63 - ORDER_TIME_BITS
"""43 bits of milliseconds last until the year 2248; 20 bits stay for many in one millisecond."""


FLOOR_VARIABLE = "SANIC_PANAL_ORDER_FLOOR"


class RisingClock:
    """Milliseconds since 1970 by the wall clock; by the monotonic clock where somebody has set the wall clock back."""

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._ahead_ms = 0  # the highest that wall minus monotonic has ever been

    def now_ms(self) -> int:
        monotonic_ms = self._monotonic_ns() // 1_000_000
        ahead_ms = self._wall_ns() // 1_000_000 - monotonic_ms
        if ahead_ms > self._ahead_ms:  # `max` costs as much as all the rest
            self._ahead_ms = ahead_ms
        return self._ahead_ms + monotonic_ms

    def floor(self) -> str:
        """For another process of this machine: its clocks have the same zero."""
        self.now_ms()
        return str(self._ahead_ms)

    def rise(self, floor: str) -> None:
        if floor.isdigit():
            self._ahead_ms = max(self._ahead_ms, int(floor))


_clock = RisingClock()
order_floor = _clock.floor
rise_to_floor = _clock.rise


class _Monotonic:
    """A (milliseconds, rest) pair that only grows.

    Within one millisecond, and when the clock jumps back, `rest` goes up by one.
    """

    def __init__(self, rest_bits: int, *, fresh_bits: int) -> None:
        self._limit = 1 << rest_bits
        self._fresh_bits = fresh_bits
        self._lock = threading.Lock()
        self._at_ms = 0
        self._rest = 0

    def next(self) -> tuple[int, int]:
        with self._lock:
            now_ms = _clock.now_ms()
            if now_ms > self._at_ms:
                self._at_ms = now_ms
                self._rest = int.from_bytes(os.urandom(16), "big") >> (128 - self._fresh_bits)
            else:
                self._rest += 1
                if self._rest >= self._limit:
                    self._at_ms += 1
                    self._rest = 0
            return self._at_ms, self._rest


# A fresh random part leaves the top bit free, so that counting on from it does not overflow in practice.
_ulids = _Monotonic(RANDOM_BITS, fresh_bits=RANDOM_BITS - 1)
_head = (-1, "")
"""The first 24 characters of the last one, with their number: within a millisecond only the last two change."""
_orders = _Monotonic(ORDER_REST_BITS, fresh_bits=ORDER_REST_BITS - 2)


def new_ulid() -> str:
    """26 characters: 48 bits of milliseconds, 80 random bits. Strictly increasing inside a process, threads too."""
    global _head
    at_ms, rest = _ulids.next()
    high = (at_ms << (RANDOM_BITS - 10)) | (rest >> 10)
    known, head = _head
    if known != high:
        head = "".join([_PAIRS[(high >> shift) & 1023] for shift in range(110, -1, -10)])
        _head = (high, head)
    return head + _PAIRS[rest & 1023]


def new_id(kind: str) -> str:
    """`new_id("msg")` → `msg_` and a ULID. Kinds in use: msg, evt, cnv, con, whe, att, cmp, key, ntf, cmd, med, req."""
    return f"{kind}_{new_ulid()}"


def new_order() -> int:
    """A 63-bit integer that sorts by time, strictly increasing inside a process; fits MongoDB's int64.

    Two processes may, rarely, draw the same number in the same millisecond: it orders, it does not identify.
    """
    at_ms, rest = _orders.next()
    return (at_ms << ORDER_REST_BITS) | rest


def order_now() -> int:
    """The order that is due at this moment: what was drawn before is lower, or was drawn in this very millisecond."""
    return _clock.now_ms() << ORDER_REST_BITS


def order_ahead() -> int:
    """Above everything drawn until now, on this machine and on one whose clock runs up to a minute ahead."""
    return (_clock.now_ms() + AHEAD_MS) << ORDER_REST_BITS


def id_kind(value: str) -> str | None:
    """The kind of a well-formed id (`msg` of `msg_01J…`), else None. It does not say that such a thing exists."""
    kind, separator, ulid = value.partition("_")
    is_well_formed = bool(separator) and len(ulid) == ULID_LENGTH and all(letter in ALPHABET for letter in ulid)
    return kind if is_well_formed and kind else None
