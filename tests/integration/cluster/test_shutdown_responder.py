"""Who waits on the listening socket at the end gets an answer, never a reset. On real sockets, without a server."""

import socket
import time
from collections.abc import Iterator

import pytest

from services.supervisor.shutdown_responder import ShutdownResponder, drop_new_handshakes

REQUEST = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield listener


def connect(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname(), timeout=5)


def read_all(client: socket.socket) -> bytes:
    """Until the other side has closed; a reset raises."""
    with client:
        return b"".join(iter(lambda: client.recv(4096), b""))


def test_everybody_in_the_queue_is_answered_before_the_socket_closes(listener: socket.socket) -> None:
    shutdown_responder = ShutdownResponder(listener)
    clients = [connect(listener) for _ in range(50)]
    for client in clients:
        client.sendall(REQUEST)
    shutdown_responder.begin()
    shutdown_responder.begin()
    late = connect(listener)  # says nothing
    answers = [read_all(client) for client in clients]
    began = time.monotonic()
    shutdown_responder.end()
    assert time.monotonic() - began < 4
    assert {answer.split(b"\r\n", 1)[0] for answer in answers} == {b"HTTP/1.1 503 Service Unavailable"}
    assert all(b"retry-after: 1" in answer and b'"code":"stopping"' in answer for answer in answers)
    assert read_all(late) == b""
    assert shutdown_responder.count == 51
    assert listener.fileno() == -1


def test_a_request_that_is_still_being_sent_is_read_before_the_answer(listener: socket.socket) -> None:
    """A socket closed with unread bytes resets its client, which may then never see the answer."""
    shutdown_responder = ShutdownResponder(listener)
    with connect(listener) as client:
        shutdown_responder.begin()
        client.sendall(REQUEST[:20])
        time.sleep(0.1)
        client.sendall(REQUEST[20:] + bytes(2**20))
        assert client.recv(4096).startswith(b"HTTP/1.1 503")
    shutdown_responder.end()


def test_with_tls_nothing_can_be_said_and_the_socket_is_let_go_at_once(listener: socket.socket) -> None:
    shutdown_responder = ShutdownResponder(listener, is_plain=False)
    shutdown_responder.begin()
    assert listener.fileno() == -1
    shutdown_responder.end()


def test_new_handshakes_are_dropped_and_those_in_the_queue_stay(listener: socket.socket) -> None:
    waiting = connect(listener)
    if not drop_new_handshakes(listener):
        pytest.skip("this kernel takes no filter on a socket")
    with socket.socket() as late:
        late.settimeout(0.3)
        with pytest.raises(TimeoutError):
            late.connect(listener.getsockname())
    accepted, _ = listener.accept()
    accepted.sendall(b"hello")
    accepted.close()
    assert read_all(waiting) == b"hello"
