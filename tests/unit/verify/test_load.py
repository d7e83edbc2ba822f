"""The load leaves when it is due, and counts from then; its mix is safe unless asked otherwise."""

import asyncio
from typing import Any, cast

import pytest

from tests.doubles.clock import virtual_time
from tools.verify.client import Answer, Client
from tools.verify.load import LoadResult, run_load
from tools.verify.mix import Call, calls
from tools.verify.options import read_options, recipients, seconds


class SlowServer:
    """Answers one request after the other, each after a while."""

    def __init__(self, each_s: float) -> None:
        self._each_s = each_s
        self._turn = asyncio.Lock()

    async def ask(self, path: str, **_: Any) -> Answer:
        async with self._turn:
            await asyncio.sleep(self._each_s)
            return Answer(200 if path == "/ok" else 503, {"code": "database_unavailable"})


@virtual_time
async def test_a_server_that_falls_behind_is_seen_to_fall_behind() -> None:
    # Ten a second, each takes 0.2 s, one at a time: the last of 50 is due at 4.9 s and answered at 10 s.
    server = cast(Client, SlowServer(0.2))
    result = await run_load(server, [Call("/ok")] * 50, rate_per_s=10)
    assert result.count == 50
    assert result.quantile_s(1.0) == pytest.approx(5.1, abs=0.01)
    assert result.quantile_s(0.5) == pytest.approx(2.6, abs=0.11)
    assert result.late_s == 0


@virtual_time
async def test_what_fails_is_counted_by_reason() -> None:
    result = await run_load(cast(Client, SlowServer(0)), [Call("/ok"), Call("/bad")], rate_per_s=100)
    assert result.failures == {"503 database_unavailable": 1}
    assert (result.count, result.failed_count) == (2, 1)


def test_quantiles_are_measured_values() -> None:
    result = LoadResult(latencies_s=[5.0, 1.0, 4.0, 2.0, 3.0])
    assert [result.quantile_s(share) for share in (0.0, 0.2, 0.5, 0.95, 1.0)] == [1.0, 1.0, 3.0, 5.0, 5.0]
    assert LoadResult().quantile_s(0.5) == 0


def test_the_mix_reads_only() -> None:
    assert {call.method for call in calls(200, run_id="x")} == {"GET"}


def test_sends_are_spread_evenly_each_with_its_own_key() -> None:
    found = calls(100, run_id="x", send_to=["16505550000", "16505550001"], send_share=0.1)
    sends = [call for call in found if call.is_send]
    assert len(sends) == 10
    assert len({(call.headers or {})["idempotency-key"] for call in sends}) == 10
    assert [(call.body or {})["to"] for call in sends[:4]] == ["16505550000", "16505550001"] * 2
    assert all(call.is_send for call in found[9::10])


def test_times_and_recipients_are_read() -> None:
    assert [seconds(word) for word in ("90", "90s", "5m", "1h", "0.5s")] == [90, 90, 300, 3600, 0.5]
    assert recipients("16505550000+3,16505559999") == ("16505550000", "16505550001", "16505550002", "16505559999")
    for word in ("", "5 m", "-1", "m"):
        with pytest.raises(ValueError, match=r".*"):
            seconds(word)
    for word in ("abc", "16505550000+9999"):
        with pytest.raises(ValueError, match=r".*"):
            recipients(word)


def test_the_key_may_come_from_the_environment() -> None:
    environ = {"PANAL_API_KEY": "a-secret", "PANAL_LOCALE": "en"}
    options = read_options(["--url=https://panal.example/", "--watch=5m"], environ)
    assert (options.url, options.key, options.locale) == ("https://panal.example", "a-secret", "en")
    assert (options.request_count, options.every_s, options.rounds) == (1600, 300, 0)
    assert "a-secret" not in repr(options)


@pytest.mark.parametrize("arguments", [["--url=ftp://x", "--key=k"], ["--url=https://x"], ["--key=k"]])
def test_what_makes_no_sense_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_options(arguments, {})
    assert ended.value.code == 2
