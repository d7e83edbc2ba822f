"""A model of the rate_limiter: whatever is asked of it, in whatever order, WhatsApp's limits hold."""

from datetime import UTC, datetime, time, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.messages.records import Hold
from services.sending.rate_limiter import Bucket, QuietHours, RateLimiter, SendLimits, Turns

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = "106540352242922"
CONTACTS = ["wa:16505550001", "wa:16505550002", "wa:16505550003"]
PER_S = 5.0
PAIR_PERIOD_S = 6.0
PAIR_BURST = 4
DAILY = 2


class RateLimiterModel(RuleBasedStateMachine):
    """Sends whenever the rate_limiter lets it, and keeps a list of what left when: the truth that the limits are
    about.
    """

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.rate_limiter = RateLimiter()
        self.limits = SendLimits(PER_S, PAIR_PERIOD_S, PAIR_BURST, daily_recipients=DAILY)
        self.rate_limiter.set_number(NUMBER, self.limits, hold=None, is_paused=False)
        self.left: list[tuple[float, str, bool]] = []
        self.held_until: datetime | None = None
        self.is_paused = False

    @rule(seconds=st.floats(0.001, 120.0))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(hours=st.integers(1, 30))
    def much_time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(contact=st.sampled_from(CONTACTS), is_initiation=st.booleans())
    def send(self, contact: str, is_initiation: bool) -> None:
        rate_limiter, now = self.rate_limiter, self.now
        holds = [
            rate_limiter.number_hold(NUMBER, now),
            rate_limiter.daily_hold(NUMBER, contact, now) if is_initiation else None,
            rate_limiter.pair_hold(NUMBER, contact, now),
        ]
        waits = [hold for hold in holds if hold is not None]
        for hold in waits:
            assert hold.reason
            assert hold.until is None or hold.until > now, "a hold that is over is none"
        if waits:
            return
        wait_s = rate_limiter.take(NUMBER, contact, now.timestamp(), is_initiation=is_initiation)
        assert 0 <= wait_s <= 60
        self.left.append((now.timestamp() + wait_s, contact, is_initiation))

    @rule(seconds=st.floats(1.0, 600.0))
    def platform_holds_the_number(self, seconds: float) -> None:
        until = self.now + timedelta(seconds=seconds)
        was_longer = self.held_until is not None and self.held_until >= until
        assert self.rate_limiter.hold_number(NUMBER, Hold("platform_130429", until)) is not was_longer or was_longer
        if not was_longer:
            self.held_until = until

    @rule()
    def operator_pauses(self) -> None:
        self.rate_limiter.set_paused(NUMBER, is_paused=True)
        self.is_paused = True

    @precondition(lambda self: getattr(self, "is_paused", False))
    @rule()
    def operator_resumes(self) -> None:
        self.rate_limiter.set_paused(NUMBER, is_paused=False)
        self.is_paused = False

    @rule()
    def the_owner_changes(self) -> None:
        """A new owner takes up what survives: the hold, the pause, the pairs and the day's recipients."""
        tats = {contact: self.rate_limiter.pair_tat(NUMBER, contact) for contact in CONTACTS}
        day_ago = self.now.timestamp() - 86_400
        firsts: dict[str, float] = {}
        for at, contact, is_initiation in self.left:
            if is_initiation and at > day_ago:
                firsts.setdefault(contact, at)
        hold = self.rate_limiter.number_hold(NUMBER, self.now) if not self.is_paused else None
        kept = hold or (Hold("platform_130429", self.held_until) if self.held_until else None)
        successor = RateLimiter()
        successor.set_number(NUMBER, self.limits, hold=kept, is_paused=self.is_paused)
        for contact, tat in tats.items():
            if tat is not None:
                successor.remember_pair(NUMBER, contact, tat)
        successor.remember_initiated(NUMBER, sorted(firsts.items(), key=lambda item: item[1]))
        self.rate_limiter = successor

    @invariant()
    def nothing_leaves_while_it_must_not(self) -> None:
        if not hasattr(self, "rate_limiter"):
            return
        hold = self.rate_limiter.number_hold(NUMBER, self.now)
        if self.is_paused:
            assert hold is not None
            assert hold.reason == "paused"
        elif self.held_until is not None and self.held_until > self.now:
            assert hold is not None
        else:
            assert hold is None, "a hold lifts by itself"

    @invariant()
    def no_pair_gets_more_than_its_share(self) -> None:
        for contact in CONTACTS:
            times = [at for at, to, _ in getattr(self, "left", ()) if to == contact]
            for first, begin in enumerate(times):
                for last in range(first, len(times)):
                    most = PAIR_BURST + (times[last] - begin) / PAIR_PERIOD_S
                    # The number's own rate may delay a message by a moment after its pair let it through.
                    assert last - first + 1 <= most + 1

    def teardown(self) -> None:
        if not hasattr(self, "left"):
            return
        days = {}
        for at, contact, is_initiation in self.left:
            if is_initiation:
                days.setdefault(contact, []).append(at)
        for at, _, is_initiation in self.left:
            if is_initiation:
                within = {contact for contact, times in days.items() if any(at - 86_400 < one <= at for one in times)}
                assert len(within) <= DAILY + 1


RateLimiterModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRateLimiterModel = RateLimiterModel.TestCase


def test_a_bucket_lets_a_burst_go_and_then_one_a_period() -> None:
    bucket = Bucket(6.0, 45)
    waits = [bucket.take(1000.0) for _ in range(47)]
    assert waits[:45] == [0.0] * 45
    assert waits[45:] == [6.0, 12.0]


def test_places_that_are_reserved_at_once_keep_the_rate() -> None:
    bucket = Bucket(1 / 20, 20)  # a number that is also used in the app: 20 a second
    leaves_at = [1000.0 + bucket.take(1000.0) for _ in range(64)]
    assert leaves_at == sorted(leaves_at)
    assert leaves_at[63] - leaves_at[19] >= 44 / 20 - 1e-9


def test_a_clock_that_jumps_back_makes_nobody_wait_longer_than_a_full_bucket_and_a_minute() -> None:
    bucket = Bucket(6.0, 45, tat=10_000_000.0)
    assert bucket.wait_s(1000.0) <= 6.0 + 60.0


def test_quiet_hours_go_over_midnight_and_know_their_zone() -> None:
    quiet = QuietHours.parse("21:00-08:00 America/Mexico_City")
    assert quiet == QuietHours(time(21), time(8), "America/Mexico_City")
    assert quiet.over_at(datetime(2026, 3, 2, 5, tzinfo=UTC)) == datetime(2026, 3, 2, 14, tzinfo=UTC)
    assert quiet.over_at(datetime(2026, 3, 2, 20, tzinfo=UTC)) is None


def test_bulk_gets_a_turn_now_and_then_and_transactional_the_rest() -> None:
    turns = Turns(1)
    assert turns.ask("first", is_bulk=False)
    for position in range(10):
        turns.ask(f"urgent-{position}", is_bulk=False)
        turns.ask(f"bulk-{position}", is_bulk=True)
    given = [str(turns.give_back()) for _ in range(20)]
    assert [name.split("-")[0] for name in given[:10]].count("bulk") == 2
    assert sorted(given) == sorted([f"urgent-{n}" for n in range(10)] + [f"bulk-{n}" for n in range(10)])
