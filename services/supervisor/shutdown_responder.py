"""Who still connects while the instance stops is told so with a 503: nobody is left in the kernel's queue to be reset.

Process: main.

All processes share one listening socket, and the kernel resets whoever waits on it when the last of them closes it.
So main keeps it longest: from the moment no worker takes connections any more, it takes them itself and says goodbye.
Just before it closes the socket it tells the kernel to drop new handshakes: a client tries such a one again, and is
refused then, which any client library may repeat safely.
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

PATIENCE_S = 1.0  # for the rest of a request, and for the client to hang up
AT_ONCE = 256  # connections; more wait in the kernel until these are through
SETTLE_S = 0.2  # handshakes under way when new ones are dropped: longer than most round trips
POLL_S = 0.05
SO_ATTACH_FILTER = 26  # asm-generic/socket.h
# Classic BPF over the TCP header: byte 13 holds the flags; a SYN is dropped, everything else comes in whole.
DROPS_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))

logger = logging.getLogger(__name__)


class ShutdownResponder:
    """`begin()` when no worker takes connections any more, `end()` last of all. Both may come twice."""

    def __init__(self, listener: socket.socket | None, *, is_plain: bool = True) -> None:
        """`listener` is main's copy of the listening socket; with TLS (not `is_plain`) nothing can be said on it."""
        self._listener = listener
        self._is_plain = is_plain
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self.count = 0

    def begin(self) -> None:
        if self._listener is None or self._thread is not None or self._over.is_set():
            return
        if not self._is_plain:  # the workers that drain have the queue to themselves
            self.end()
            return
        self._thread = threading.Thread(
            target=self._serve, args=(self._listener,), name="shutdown_responder", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Everybody in the queue has had the answer when this returns; who comes later is refused by the kernel."""
        if self._listener is None or self._over.is_set():
            return
        drop_new_handshakes(self._listener)
        self._over.set()
        if self._thread is not None:
            self._thread.join(SETTLE_S + 2 * PATIENCE_S)
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
            guests: set[_LateClient] = set()
            while guests or time.monotonic() < over_at:
                ready = {key.data for key, _ in selector.select(POLL_S)} & guests
                now = time.monotonic()
                through = {guest for guest in guests if guest.is_late(now) or (guest in ready and not guest.goes_on())}
                guests -= through
                for guest in through:
                    selector.unregister(guest.socket)
                    guest.socket.close()
                for guest in self._welcome(listener, AT_ONCE - len(guests)):
                    guests.add(guest)
                    selector.register(guest.socket, selectors.EVENT_READ, guest)
                if self._over.is_set():
                    over_at = min(over_at, now + SETTLE_S)
                if len(guests) >= AT_ONCE:
                    time.sleep(POLL_S)

    def _welcome(self, listener: socket.socket, room: int) -> list["_LateClient"]:
        """Those who wait, as far as there is room. A worker that still lives may be quicker: that is as well."""
        found: list[_LateClient] = []
        while len(found) < room:
            try:
                sock, _address = listener.accept()
            except OSError:  # nobody waits; or it has just gone; or there is no descriptor left
                break
            sock.setblocking(False)
            found.append(_LateClient(sock))
        self.count += len(found)
        return found


class _LateClient:
    """One connection: its request is read, it gets its answer, and it is read on until the client hangs up.

    A socket that is closed with something unread in it sends a reset, which can overtake the answer.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._head = b""
        self._is_told = False
        self._leaves_at = time.monotonic() + PATIENCE_S

    def is_late(self, now: float) -> bool:
        return now > self._leaves_at

    def goes_on(self) -> bool:
        """There is something to read. False when it is through."""
        try:
            data = self.socket.recv(2**16)
            self._head += b"" if self._is_told else data
            if not self._is_told and (b"\r\n\r\n" in self._head or len(self._head) > 2**16):
                self._is_told = True
                self.socket.send(refusal_answer("stopping"))
                self.socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return bool(data)


def drop_new_handshakes(listener: socket.socket) -> bool:
    """From now on the kernel ignores a SYN to this socket, in all processes; the queue stays. False: it cannot.

    The client's kernel sends its SYN again after a second.
    """
    if not sys.platform.startswith("linux") or listener.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in DROPS_SYN))
    try:
        listener.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(DROPS_SYN), ctypes.addressof(code))
        )
    except OSError as error:  # a sandboxed kernel: those few in the middle of a handshake may be reset
        logger.debug("New handshakes cannot be dropped: %s.", os.strerror(error.errno or 0))
        return False
    return True
