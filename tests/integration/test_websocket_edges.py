"""The WebSocket on raw sockets: any header of a stranger is let through, any frame that breaks the rules ends it."""

import os
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

TEXT, BINARY, CLOSE, PING, CONTINUED = 1, 2, 8, 9, 0
FIN = 0x80


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("websocket"), workers=1) as cluster:
        yield cluster


@pytest.fixture
def connect(cluster: Cluster) -> Iterator[Callable[..., "RawSocket"]]:
    """Opens clients; whatever becomes of the test, their sockets are closed."""
    made: list[RawSocket] = []

    def make(*headers: bytes, **fields: bytes) -> RawSocket:
        made.append(RawSocket(cluster, *headers, **fields))
        return made[-1]

    yield make
    for client in made:
        client.file.close()
        client.socket.close()


class RawSocket:
    """A client that says what it likes, byte by byte."""

    def __init__(self, cluster: Cluster, *headers: bytes, key: bytes = b"dGhlIHNhbXBsZSBub25jZQ==") -> None:
        self.socket = socket.create_connection(("127.0.0.1", cluster.port), timeout=10)
        lines = [
            b"GET /v1/events/ws HTTP/1.1",
            b"host: test",
            b"authorization: Bearer " + cluster.key.encode(),
            b"upgrade: websocket",
            b"connection: Upgrade",
            b"sec-websocket-version: 13",
            *([b"sec-websocket-key: " + key] if key else []),
            *headers,
        ]
        self.socket.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split(b" ")[1])
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def say(self, opcode: int, data: bytes, *, is_last: bool = True, length: int | None = None) -> None:
        size = len(data) if length is None else length
        mask = os.urandom(4)
        head = bytes([(FIN if is_last else 0) | opcode])
        head += bytes([0x80 | size]) if size < 126 else bytes([0x80 | 127]) + struct.pack("!Q", size)
        self.socket.sendall(head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(data)))

    def frame(self) -> tuple[int, bytes]:
        first, second = self.file.read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self.file.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.file.read(8))
        return first & 0x0F, self.file.read(size)

    def close_code(self, within_s: float = 2.0) -> int:
        """The code of the close frame; what comes before it is not looked at."""
        self.socket.settimeout(within_s)
        while True:
            opcode, data = self.frame()
            if opcode == CLOSE:
                return int.from_bytes(data[:2], "big")


Connect = Callable[..., RawSocket]


def open_streams(cluster: Cluster) -> int:
    (row,) = [row for row in cluster.client.get("/v1/cluster").json()["processes"] if row["role"] == "worker"]
    return int(row["in_flight"])


@pytest.mark.parametrize(
    "header",
    [
        "cf-ipcity: Łódź".encode(),
        "cf-ipcity: 東京".encode(),
        "cookie: city=Kraków; mood=🐝".encode(),
        b"cookie: other=\xff\xfe\x80",
        b"x-anything: \xc3\x28",
        b"x-anything: caf\xe9",
        "referer: https://example.com/ñandú".encode(),
        "origin: https://東京.example".encode(),
        b"x-long: " + b"\xff" * 3000,
        b"x-twice: \xff\r\nx-twice: \xfe",
    ],
)
def test_a_header_of_somebody_else_is_no_reason_to_refuse(connect: Connect, header: bytes) -> None:
    client = connect(header)
    assert client.status == 101
    client.say(PING, b"still there?")
    assert client.frame() == (10, b"still there?")
    client.say(CLOSE, struct.pack("!H", 1000))
    assert client.close_code() == 1000


@pytest.mark.parametrize(
    ("key", "header"),
    [
        (b"", b"x: y"),
        (b"short", b"x: y"),
        (b"\xff\xfe", b"x: y"),
        ("Łódź".encode(), b"x: y"),
        (b"a" * 24, b"x: y"),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"sec-websocket-protocol: \xc5\x81"),
    ],
)
def test_a_handshake_that_is_none_is_the_clients_fault(connect: Connect, key: bytes, header: bytes) -> None:
    assert connect(header, key=key).status == 400


@pytest.mark.parametrize(
    "data",
    [b"\xff", b"\x80abc", b"abc\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"ok" * 1000 + b"\xfe"],
)
def test_a_text_that_is_no_utf8_ends_at_once_with_1007(connect: Connect, data: bytes) -> None:
    client = connect()
    client.say(TEXT, data)
    assert client.close_code() == 1007


def test_a_letter_may_be_cut_by_frames_and_a_wrong_one_is_seen_in_the_middle(connect: Connect) -> None:
    client = connect()
    bee = "🐝".encode()
    for _ in range(3):
        client.say(TEXT, bee[:1], is_last=False)
        client.say(CONTINUED, bee[1:3], is_last=False)
        client.say(PING, b"\xff between")
        assert client.frame() == (10, b"\xff between")
        client.say(CONTINUED, bee[3:])
    client.say(TEXT, bee[:1], is_last=False)
    client.say(CONTINUED, b"\xff", is_last=False)
    assert client.close_code() == 1007


def test_a_message_that_ends_within_a_letter_is_no_text(connect: Connect) -> None:
    client = connect()
    client.say(TEXT, b"abc", is_last=False)
    client.say(CONTINUED, b"\xe2\x82")
    assert client.close_code() == 1007


@pytest.mark.parametrize("is_last", [True, False])
@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"text"])
def test_a_binary_frame_is_not_taken(connect: Connect, data: bytes, is_last: bool) -> None:
    client = connect()
    client.say(BINARY, data, is_last=is_last)
    assert client.close_code() == 1003


@pytest.mark.parametrize("length", [65_537, 1 << 20, 1 << 40])
def test_a_frame_that_is_too_large_ends_before_it_has_come(connect: Connect, length: int) -> None:
    client = connect()
    client.say(TEXT, b"a", length=length)
    assert client.close_code() == 1009


def test_so_does_a_message_that_grows_too_large_in_pieces(connect: Connect) -> None:
    client = connect()
    client.say(TEXT, b"a" * 30_000, is_last=False)
    client.say(CONTINUED, b"a" * 30_000, is_last=False)
    client.say(CONTINUED, b"a" * 30_000)
    assert client.close_code() == 1009


@pytest.mark.parametrize(
    "raw", [bytes([FIN | 3, 0x80, 0, 0, 0, 0]), bytes([FIN | TEXT, 1, 97]), bytes([FIN, 0x80, 0, 0, 0, 0])]
)
def test_what_is_no_frame_ends_with_1002(connect: Connect, raw: bytes) -> None:
    client = connect()
    client.socket.sendall(raw)
    assert client.close_code() == 1002


def test_a_client_that_talks_all_the_time_is_neither_kept_nor_stopped(connect: Connect) -> None:
    client = connect()
    for number in range(300):
        client.say(TEXT, b"%d " % number + b"x" * 20_000)
    client.say(PING, b"end")
    assert client.frame() == (10, b"end")


def test_nothing_is_left_of_those_that_broke_the_rules(cluster: Cluster, connect: Connect) -> None:
    clients = []
    for opcode, data in ((TEXT, b"\xff"), (BINARY, b"a"), (TEXT, b"\xff"), (CONTINUED, b"a")):
        clients.append(connect())
        clients[-1].say(opcode, data)
        clients[-1].close_code()
    # Nobody closes the sockets: the server does.
    began = time.monotonic()
    until(lambda: open_streams(cluster) <= 1, "no stream of theirs is left", within_s=15)
    assert time.monotonic() - began < 15
    assert "Traceback" not in cluster.log
    assert "never retrieved" not in cluster.log
