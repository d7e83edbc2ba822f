import itertools
import re
import threading
import time

from config import ids


def test_an_id_carries_its_kind_and_26_crockford_characters() -> None:
    assert re.fullmatch(r"msg_[0-9A-HJKMNP-TV-Z]{26}", ids.new_id("msg"))


def test_ids_grow_strictly_inside_a_process_also_from_threads() -> None:
    made: list[list[str]] = [[] for _ in range(4)]

    def make(host: list[str]) -> None:
        host.extend(ids.new_ulid() for _ in range(5_000))

    threads = [threading.Thread(target=make, args=(host,)) for host in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(host == sorted(host) for host in made)
    assert len({ulid for host in made for ulid in host}) == 20_000


def test_orders_grow_strictly_and_fit_into_63_bits() -> None:
    orders = [ids.new_order() for _ in range(50_000)]
    assert all(earlier < later for earlier, later in itertools.pairwise(orders))
    assert 0 < orders[-1] < 2**63


def milliseconds_of(made: str) -> int:
    """The first ten letters after the kind, in base 32."""
    number = 0
    for letter in made.partition("_")[2][:10]:
        number = number * 32 + ids.ALPHABET.index(letter)
    return number


def test_an_id_tells_its_kind_and_when_it_was_made() -> None:
    before_ms = time.time_ns() // 1_000_000
    made = ids.new_id("evt")
    assert ids.id_kind(made) == "evt"
    # A burst in another test may have pushed the counter a little ahead of the clock.
    assert before_ms <= milliseconds_of(made) <= before_ms + 5_000


def test_what_is_not_an_id_has_no_kind() -> None:
    for word in ("", "msg", "msg_", "msg_short", "_" + "0" * 26, "msg_" + "U" * 26, "wamid.HBgL"):
        assert ids.id_kind(word) is None


def test_the_clock_of_orders_never_falls_and_a_process_that_is_started_later_goes_on_with_it() -> None:
    hour_ms = 3_600_000
    times = {"wall": 10 * hour_ms, "monotonic": hour_ms}

    def clock() -> ids.RisingClock:
        return ids.RisingClock(lambda: times["wall"] * 10**6, lambda: times["monotonic"] * 10**6)

    def passes(*, wall_ms: int = 0, ms: int = 0) -> None:
        times["wall"] += wall_ms + ms
        times["monotonic"] += ms

    elder = clock()
    assert elder.now_ms() == 10 * hour_ms
    passes(wall_ms=hour_ms, ms=5)
    assert elder.now_ms() == 11 * hour_ms + 5  # set ahead: it follows
    passes(wall_ms=-2 * hour_ms, ms=5)
    assert elder.now_ms() == 11 * hour_ms + 10  # set back: it goes on
    younger = clock()
    assert younger.now_ms() == 9 * hour_ms + 10
    younger.rise(elder.floor())
    younger.rise("")
    assert younger.now_ms() == elder.now_ms()
    passes(wall_ms=2 * hour_ms)
    assert younger.now_ms() == elder.now_ms() == 11 * hour_ms + 10
