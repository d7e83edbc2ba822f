"""A subscriber of webhooks in the test process: it remembers what it was sent, and answers as it is told."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from standardwebhooks import Webhook


@dataclass(frozen=True)
class Delivery:
    """One request as it came. `status` is what it was answered with."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    @property
    def was_taken(self) -> bool:
        return 200 <= self.status < 300


Answer = int | tuple[int, dict[str, str], bytes]
Behaviour = Callable[[str, bytes], Answer]
"""From path and body to a status, or status, headers and body. It may sleep."""


@dataclass
class Receiver:
    """`behaviour` may be changed while it runs."""

    behaviour: Behaviour = lambda _path, _body: 200
    deliveries: list[Delivery] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def fails(self, share: float, *, seed: int = 1) -> None:
        """Answer 500 to this share of requests, by chance."""
        chance = random.Random(seed)
        self.behaviour = lambda _path, _body: 500 if chance.random() < share else 200

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        answer = self.behaviour(path, body)
        status = answer if isinstance(answer, int) else answer[0]
        with self._lock:
            self.deliveries.append(Delivery(time.monotonic(), path, headers, body, status))
        return answer

    def taken(self, path: str = "/") -> list[Delivery]:
        """What was answered with 2xx there, in order of arrival."""
        with self._lock:
            return [one for one in self.deliveries if one.path == path and one.was_taken]

    def events(self, path: str = "/") -> list[dict[str, Any]]:
        """The events that were taken there, each once, in the order of their first arrival."""
        found: dict[int, dict[str, Any]] = {}
        for one in self.taken(path):
            event = one.event
            if event["seq"]:
                found.setdefault(event["seq"], event)
        return list(found.values())

    def verify(self, secret: str, path: str = "/") -> None:
        """Every request there verifies with the published library. The library refuses what is older than 5 minutes."""
        webhook = Webhook(secret)
        for one in list(self.deliveries):
            if one.path == path:
                webhook.verify(one.body, one.headers)


@contextmanager
def start_receiver() -> Iterator[Receiver]:
    """A receiver on a free port of loopback."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            receiver.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = receiver.take(self.path, {name.lower(): text for name, text in self.headers.items()}, body)
            status, headers, said = (answer, {}, b"") if isinstance(answer, int) else answer
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: object) -> None:
            pass  # a sender that was killed breaks its connections

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
