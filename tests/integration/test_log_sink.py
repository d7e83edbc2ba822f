"""The reader of our log stops reading: lines are lost and counted, requests are not, and a stop is still a stop."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness.cluster import Cluster, launch
from tests.harness.slack import slack

pytestmark = pytest.mark.integration

PIPE_BYTES = 65_536  # Linux's default
LINE_BYTES = 200  # an access line is longer
REQUESTS = 3 * PIPE_BYTES // LINE_BYTES
TEMPLATE = {"to": "16505550000", "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}


@contextlib.contextmanager
def writing_into_a_pipe(folder: Path) -> Iterator[tuple[Cluster, int]]:
    """A cluster whose output goes into a pipe, and the end from which it may be read."""
    folder.mkdir(exist_ok=True)
    log = folder / "server.log"
    os.mkfifo(log)
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    cluster = launch(folder, workers=2, environment={"PANAL_ACCESS_LOG": "true"})
    log.unlink()  # nobody else may wait for it
    log.write_text("the log went into a pipe\n")
    try:
        cluster.wait_ready(120)
        yield cluster, reader
    finally:
        cluster.destroy()
        os.close(reader)


def drained(reader: int) -> bytes:
    """What stands in the pipe now."""
    found = b""
    with contextlib.suppress(BlockingIOError):
        while chunk := os.read(reader, PIPE_BYTES):
            found += chunk
    return found


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    with writing_into_a_pipe(tmp_path / "run") as (cluster, reader):
        slowest_s = 0.0
        for _ in range(REQUESTS):
            began_at = time.monotonic()
            # On connections of their own, so that every worker writes until it cannot any more.
            answer = cluster.client.get("/v1/numbers", headers={"connection": "close"})
            slowest_s = max(slowest_s, time.monotonic() - began_at)
            assert answer.status_code == 200
        assert slowest_s < 3 * slack()
        answer = cluster.client.post("/v1/messages", json=TEMPLATE)
        assert answer.status_code == 202, answer.text
        stacked = drained(reader)
        # Lines are written whole, so a full pipe has space for less than a page.
        assert len(stacked) > PIPE_BYTES - 4096, "the pipe was not full: this proves nothing"
        assert b"http.request" in stacked

        # Nobody reads again; a stop must not wait for it.
        for _ in range(REQUESTS):
            with contextlib.suppress(httpx.HTTPError):
                cluster.client.get("/v1/numbers", headers={"connection": "close"})
        cluster.process.send_signal(signal.SIGTERM)
        assert cluster.process.wait(40) == 0
