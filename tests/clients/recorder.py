"""A webhook receiver that keeps every request as it came, for clients to read later."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

VERIFY_TOKEN = "token-of-the-recorder"


class Recorder:
    """Listens on a free port of 127.0.0.1; answers the handshake, and 200 to every notification."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                is_ours = query.get("hub.verify_token") == [VERIFY_TOKEN]
                self._answer(200 if is_ours else 403, query.get("hub.challenge", [""])[0])

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                recorder.requests.append({"body": body.decode(), "headers": headers, "json": json.loads(body)})
                self._answer(200, "")

            def _answer(self, status: int, text: str) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def values(self) -> list[dict[str, Any]]:
        """The values of every change, in the order of their coming."""
        return [change["value"] for change in self.changes()]

    def changes(self) -> list[dict[str, Any]]:
        """Every change, field and value, in the order of their coming."""
        return [
            change
            for request in list(self.requests)
            for entry in request["json"]["entry"]
            for change in entry["changes"]
        ]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
