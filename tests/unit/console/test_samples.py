"""One worker a host writes the samples; a sample sums up the scoreboard."""

from typing import Any

from services.console import sample_of


def process(
    name: str, role: str, *, state: str = "ready", extra: dict[str, Any] | None = None, **vitals: float
) -> dict[str, Any]:
    full = {
        "requests": 0,
        "p95_ms": 0.0,
        "loop_lag_ms": 0.0,
        "rss_bytes": 0,
        "pool_checked_out": 0,
        "pool_waiting": 0,
        **vitals,
    }
    return {"name": name, "role": role, "state": state, "restarts": 1, "vitals": full, "extra": extra or {}}


def scoreboard() -> list[dict[str, Any]]:
    return [
        process("Sanic-Server-0-0", "worker", state="draining", requests=5),
        process("Sanic-Server-1-0", "worker", requests=7, p95_ms=3.0, rss_bytes=10),
        process("Sanic-Server-2-0", "worker", requests=8, p95_ms=9.0, rss_bytes=20),
        process(
            "Sanic-WhatsApp-0", "whatsapp", rss_bytes=30, extra={"queue_depth": 4, "queue_age_s": 1.5, "events": 99}
        ),
    ]


def test_the_first_worker_that_is_ready_writes() -> None:
    assert sample_of(scoreboard(), me="Sanic-Server-1-0") is not None
    assert sample_of(scoreboard(), me="Sanic-Server-0-0") is None
    assert sample_of(scoreboard(), me="Sanic-Server-2-0") is None


def test_a_sample_sums_up_the_board() -> None:
    sample = sample_of(scoreboard(), me="Sanic-Server-1-0")
    assert sample is not None
    assert (sample.requests, sample.p95_ms, sample.rss_bytes, sample.workers) == (20, 9.0, 60, 2)
    assert (sample.queue_depth, sample.queue_age_s, sample.events, sample.restarts) == (4, 1.5, 99, 4)
