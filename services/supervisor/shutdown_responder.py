"""Answers 503 to clients that connect while the instance stops, so that the kernel resets none of them.

Process: main.

All processes share one listening socket. When the last of them closes it, the kernel resets the connections in its
queue. So main keeps it longest: once no worker accepts connections any more, main accepts them and answers 503.
Just before it closes the socket it tells the kernel to drop new handshakes. Such a client sends its SYN again and is
refused then, which any client library may retry safely.
"""

import ctypes
import logging
import os
import selectors
import socket
import struct
import sys
import threading
import time

from services.http_server.refusal import refusal_answer

CLIENT_LIMIT_S = 1.0  # for the rest of a request, and for the client to hang up
MAX_CLIENTS = 256  # at a time; more wait in the kernel
SETTLE_S = 0.2  # handshakes under way when new ones are dropped: longer than most round trips
POLL_S = 0.05
SO_ATTACH_FILTER = 26  # asm-generic/socket.h
# Classic BPF over the TCP header: byte 13 holds the flags; a SYN is dropped, everything else comes in whole.
DROPS_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))

logger = logging.getLogger(__name__)


class ShutdownResponder:
    """Call `begin()` once no worker accepts connections any more, `end()` last of all. Both are idempotent."""

    def __init__(self, listener: socket.socket | None, *, is_plain: bool = True) -> None:
        """`listener` is main's copy of the listening socket; with TLS (not `is_plain`) it can answer nothing."""
        self._listener = listener
        self._is_plain = is_plain
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self.count = 0

    def begin(self) -> None:
        if self._listener is None or self._thread is not None or self._ending.is_set():
            return
        if not self._is_plain:  # draining workers take what is in the queue
            self.end()
            return
        self._thread = threading.Thread(
            target=self._serve, args=(self._listener,), name="shutdown_responder", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Returns once every client in the queue has its answer. The kernel refuses later ones."""
        if self._listener is None or self._ending.is_set():
            return
        drop_new_handshakes(self._listener)
        self._ending.set()
        if self._thread is not None:
            self._thread.join(SETTLE_S + 2 * CLIENT_LIMIT_S)
        self._listener.close()
        if self.count:
            logger.info(
                "%d connections came after the workers had stopped to listen; each was answered with 503.",
                self.count,
                extra={"action": "cluster.farewell", "count": self.count},
            )

    def _serve(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        over_at = float("inf")
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            clients: set[_LateClient] = set()
            while clients or time.monotonic() < over_at:
                ready = {key.data for key, _ in selector.select(POLL_S)} & clients
                now = time.monotonic()
                through = {
                    client for client in clients if client.is_late(now) or (client in ready and not client.has_more())
                }
                clients -= through
                for client in through:
                    selector.unregister(client.socket)
                    client.socket.close()
                for client in self._accept(listener, MAX_CLIENTS - len(clients)):
                    clients.add(client)
                    selector.register(client.socket, selectors.EVENT_READ, client)
                if self._ending.is_set():
                    over_at = min(over_at, now + SETTLE_S)
                if len(clients) >= MAX_CLIENTS:
                    time.sleep(POLL_S)

    def _accept(self, listener: socket.socket, room: int) -> list["_LateClient"]:
        """Accept up to ``room`` connections. A worker that is still alive may take some of them first."""
        found: list[_LateClient] = []
        while len(found) < room:
            try:
                sock, _address = listener.accept()
            except OSError:  # the queue is empty, or the client has just gone, or no descriptor is left
                break
            sock.setblocking(False)
            found.append(_LateClient(sock))
        self.count += len(found)
        return found


class _LateClient:
    """One connection: read its request, answer 503, then read on until the client hangs up.

    A socket that is closed with something unread in it sends a reset, which can overtake the answer.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._head = b""
        self._is_answered = False
        self._deadline = time.monotonic() + CLIENT_LIMIT_S

    def is_late(self, now: float) -> bool:
        return now > self._deadline

    def has_more(self) -> bool:
        """Read what has come. False once the connection is done."""
        try:
            data = self.socket.recv(2**16)
            self._head += b"" if self._is_answered else data
            if not self._is_answered and (b"\r\n\r\n" in self._head or len(self._head) > 2**16):
                self._is_answered = True
                self.socket.send(refusal_answer("stopping"))
                self.socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return bool(data)


def drop_new_handshakes(listener: socket.socket) -> bool:
    """Let the kernel ignore every SYN to this socket, in all processes; the queue stays. False: it cannot.

    The client's kernel sends its SYN again after a second.
    """
    if not sys.platform.startswith("linux") or listener.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in DROPS_SYN))
    try:
        listener.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(DROPS_SYN), ctypes.addressof(code))
        )
    except OSError as error:  # a sandboxed kernel: the few in the middle of a handshake may be reset
        logger.debug("New handshakes cannot be dropped: %s.", os.strerror(error.errno or 0))
        return False
    return True
