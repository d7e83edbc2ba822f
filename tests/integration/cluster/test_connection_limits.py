"""Slow and greedy clients: absolute deadlines, and a cap per address. Hundreds of them: tests/chaos (S1)."""

import socket
import time
from contextlib import closing
from pathlib import Path

import httpx

from tests.harness.slack import slack
from tests.harness.waiting import until
from tests.integration.cluster.cluster import SmallApp, running


def connect(cluster: SmallApp) -> socket.socket:
    return socket.create_connection(("127.0.0.1", cluster.port), timeout=5)


def drip(connection: socket.socket, data: bytes, *, every_s: float = 0.2) -> tuple[float, bytes]:
    """Send byte by byte until the server has had enough: seconds it took, and its last words."""
    began = time.monotonic()
    connection.settimeout(every_s)
    for position in range(len(data)):
        try:
            connection.sendall(data[position : position + 1])
            answer = connection.recv(4096)
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - began, b""
        return time.monotonic() - began, answer
    raise AssertionError("the server took it all")


def test_a_header_that_trickles_in_is_ended_at_the_deadline(tmp_path: Path) -> None:
    with running(tmp_path, workers=1, header_s=1) as cluster, closing(connect(cluster)) as slow:
        took_s, answer = drip(slow, b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 200)
        assert 0.8 < took_s < 2.5 * slack()
        assert answer.startswith(b"HTTP/1.1 408")


def test_a_body_that_trickles_in_is_ended_as_well(tmp_path: Path) -> None:
    with running(tmp_path, workers=1, header_s=0.5, body_s=1) as cluster, closing(connect(cluster)) as slow:
        slow.sendall(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\n\r\n")
        took_s, answer = drip(slow, b"a" * 200)
        assert 1 < took_s < 3 * slack()
        assert answer.startswith(b"HTTP/1.1 408")
        until(
            lambda: drip(slow, b"a" * 50)[1] == b"",
            "the connection is cut, though the client goes on sending",
            within_s=2,
        )


def test_a_body_that_keeps_coming_may_take_longer_than_the_deadline(tmp_path: Path) -> None:
    with running(tmp_path, workers=1, header_s=0.5, body_s=0.5) as cluster, closing(connect(cluster)) as steady:
        size = 40 * 4000
        steady.sendall(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % size)
        for _ in range(40):  # 2.4 s at 67 kB/s, four times the least rate
            steady.sendall(b"a" * 4000)
            time.sleep(0.06)
        assert steady.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_handler_may_take_longer_than_the_deadline(tmp_path: Path) -> None:
    with running(tmp_path, workers=1, header_s=0.5, body_s=0.5) as cluster:
        assert httpx.get(f"{cluster.url}/sleep/2.5", timeout=30).status_code == 200


def test_a_busy_keep_alive_connection_outlives_the_deadline(tmp_path: Path) -> None:
    with running(tmp_path, workers=1, header_s=1) as cluster, httpx.Client() as client:
        began = time.monotonic()
        while time.monotonic() - began < 3:
            assert client.get(cluster.url).status_code == 200
            time.sleep(0.01)


def test_the_cap_per_address_answers_and_lifts(tmp_path: Path) -> None:
    with running(tmp_path, workers=1, address_limit=5) as cluster:
        held = [connect(cluster) for _ in range(4)]
        until(lambda: cluster.get("/").status_code == 200, "the fifth is let in", within_s=2)
        held.append(connect(cluster))
        time.sleep(0.1)
        with closing(connect(cluster)) as refused:
            answer = refused.recv(4096)
            assert answer.startswith(b"HTTP/1.1 429")
            assert b"retry-after: 1" in answer
            assert b"too_many_connections" in answer
        for connection in held:
            connection.close()
        until(lambda: cluster.get("/").status_code == 200, "there is room again", within_s=2)
