"""What a beat says of the database pool and of this process."""

from pathlib import Path

from config.metering import PoolUse
from services.telemetry.heartbeat import Heartbeat
from services.telemetry.scoreboard import Scoreboard


def test_a_beat_writes_the_use_of_the_pool_at_that_moment(tmp_path: Path) -> None:
    scoreboard = Scoreboard.create(slots=1)
    use = PoolUse(limit=30)
    heartbeat = Heartbeat(scoreboard.writer("Sanic-Server-0-0", "worker"), run_dir=str(tmp_path), pool=lambda: use)
    heartbeat.beat()
    use.in_use, use.waiting, use.open = 4, 2, 7
    heartbeat.beat()
    (row,) = scoreboard.rows()
    pool = (row.vitals.pool_checked_out, row.vitals.pool_waiting, row.vitals.pool_max, row.vitals.pool_open)
    assert pool == (4, 2, 30, 7)
    assert row.vitals.rss_bytes > 5_000_000


def test_a_part_that_cannot_be_measured_does_not_end_the_beats(tmp_path: Path) -> None:
    def broken() -> PoolUse:
        raise RuntimeError("no pool yet")

    scoreboard = Scoreboard.create(slots=1)
    heartbeat = Heartbeat(scoreboard.writer("Sanic-Server-0-0", "worker"), run_dir=str(tmp_path), pool=broken)
    heartbeat.say("ready")
    (row,) = scoreboard.rows()
    assert (row.state, row.vitals.pool_max) == ("ready", 0)
    assert row.vitals.rss_bytes > 5_000_000
