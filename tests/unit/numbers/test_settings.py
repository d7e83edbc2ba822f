"""Settings of one number: what may be asked, who wins, and what a resume ends."""

from dataclasses import replace
from typing import Any

import pytest

from config.errors import RequestRefused
from services.commands import Command
from services.messages import Hold
from services.numbers import Number, NumberCommands, NumberState, parse_settings
from services.sending import QuietHours, RateLimiter, SendLimits
from services.sending.holds import Holds
from services.sending.number_limits import limits_of
from tests.doubles.clock import START, ManualClock, virtual_time
from tests.doubles.event_writer import NUMBER, MemoryEventWriter

MINE = Number(NUMBER, "102290129340398", "15550783881", "cloud")
NIGHT = "21:00-08:00 America/Mexico_City"
DEFAULT = SendLimits(80, 6, 45, quiet_hours=QuietHours.parse("22:00-06:00 UTC"))


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"rate_per_s": 0},
        {"rate_per_s": True},
        {"rate_per_s": 1001},
        {"daily_recipients": -1},
        {"daily_recipients": 1.5},
        {"quiet_hours": "21:00-08:00"},
        {"quiet_hours": "21:00-08:00 Mars/Olympus"},
        {"quiet_hours": 8},
        {"is_paused": True},
    ],
)
def test_what_is_no_setting_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_settings(raw, parse_quiet_hours=QuietHours.parse)
    assert refused.value.faults


def test_null_and_empty_are_settings() -> None:
    raw = {"rate_per_s": None, "quiet_hours": ""}
    assert parse_settings(raw, parse_quiet_hours=QuietHours.parse) == raw


@pytest.mark.parametrize(
    ("number", "default", "expected"),
    [
        (MINE, DEFAULT, (80, 0)),
        (replace(MINE, messaging_limit="TIER_2K"), DEFAULT, (80, 2000)),
        (replace(MINE, messaging_limit="TIER_2K"), replace(DEFAULT, daily_recipients=500), (80, 500)),
        (replace(MINE, messaging_limit="TIER_2K", daily_recipients=0), DEFAULT, (80, 0)),
        (replace(MINE, messaging_limit="TIER_UNLIMITED"), DEFAULT, (80, 0)),
        (replace(MINE, throughput="HIGH"), DEFAULT, (1000, 0)),
        (replace(MINE, throughput="HIGH"), replace(DEFAULT, per_s=20), (20, 0)),
        (replace(MINE, throughput="HIGH", rate_per_s=50.0), DEFAULT, (50, 0)),
    ],
)
def test_the_numbers_own_setting_wins(number: Number, default: SendLimits, expected: tuple[float, int]) -> None:
    pace = limits_of(number, default)
    assert (pace.per_s, pace.daily_recipients) == expected


def test_quiet_hours_are_a_numbers_own() -> None:
    assert limits_of(MINE, DEFAULT).quiet_hours == DEFAULT.quiet_hours
    assert limits_of(replace(MINE, quiet_hours=NIGHT), DEFAULT).quiet_hours == QuietHours.parse(NIGHT)
    assert limits_of(replace(MINE, quiet_hours=""), DEFAULT).quiet_hours is None


def governed(hold: Hold | None = None) -> RateLimiter:
    rate_limiter = RateLimiter()
    rate_limiter.set_number(NUMBER, DEFAULT, hold=hold, is_paused=False)
    return rate_limiter


@virtual_time
async def test_a_hold_that_ended_is_told_once() -> None:
    clock, event_writer = ManualClock(), MemoryEventWriter()
    rate_limiter = governed()
    rate_limiter.hold_number(NUMBER, Hold("platform_130429", clock.now().replace(microsecond=0)))
    clock.advance(1)
    assert rate_limiter.number_hold(NUMBER, clock.now()) is None
    holds = Holds(rate_limiter, event_writer, clock)  # type: ignore[arg-type]
    await holds.step()
    await holds.step()
    (fact,) = event_writer.facts
    assert (fact.type, fact.data["hold_reason"]) == ("number.released", "platform_130429")


@virtual_time
async def test_a_resume_lifts_the_hold_and_says_so() -> None:
    rate_limiter = governed(Hold("platform_190", None))
    commands = NumberCommands(
        NumberState([MINE]),
        set_paused=rate_limiter.set_paused,
        release=rate_limiter.release_number,
        nudge=lambda: None,
        clock=ManualClock(),
    )
    outcome = await commands.resume(Command("cmd_1", "number.resume", {"phone_number_id": NUMBER}, "key_1"))
    assert [fact.type for fact in outcome.facts] == ["number.resumed", "number.released"]
    assert rate_limiter.number_hold(NUMBER, START) is None
    again = await commands.resume(Command("cmd_2", "number.resume", {"phone_number_id": NUMBER}, "key_1"))
    assert [fact.type for fact in again.facts] == ["number.resumed"]


@virtual_time
async def test_a_changed_setting_is_the_governors_at_once() -> None:
    rate_limiter = governed()
    state = NumberState([MINE], on_change=lambda number: rate_limiter.set_limits(NUMBER, limits_of(number, DEFAULT)))
    commands = NumberCommands(
        state,
        set_paused=rate_limiter.set_paused,
        release=rate_limiter.release_number,
        nudge=lambda: None,
        clock=ManualClock(),
    )
    data = {"phone_number_id": NUMBER, "changes": {"quiet_hours": "00:00-23:59 UTC"}}
    outcome = await commands.update(Command("cmd_1", "number.update", data, "key_1"))
    assert outcome.facts[0].type == "number.settings_changed"
    assert rate_limiter.quiet_until(NUMBER, START) is not None
