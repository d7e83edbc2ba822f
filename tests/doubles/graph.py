"""A stand-in for Meta's Graph API that repeats the caller's credentials wherever the real one does, and in odd places.

It lives in a thread of its own. ``answers`` may say what a path is answered with; every other call gets ``told_all``.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

import orjson


@dataclass(frozen=True, slots=True)
class GraphCall:
    """One request as it arrived. ``target`` is path and query, byte for byte."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True, slots=True)
class GraphReply:
    status: int = 200
    value: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


Answering = Callable[[GraphCall], GraphReply]


class GraphStandIn:
    """``calls``: what arrived, oldest first."""

    def __init__(self) -> None:
        self.calls: list[GraphCall] = []
        self.answers: dict[str, Answering] = {}
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = GraphCall(self.command, self.path, headers, self.rfile.read(length))
                stand_in.calls.append(call)
                reply = stand_in.reply(call)
                body = orjson.dumps(reply.value) if reply.raw is None else reply.raw
                self.send_response(reply.status)
                for name, value in {"content-type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = _serve

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def reply(self, call: GraphCall) -> GraphReply:
        """What this call is answered with: by the last part of its path, or ``told_all``."""
        edge = urlsplit(call.target).path.rpartition("/")[2]
        return self.answers.get(edge, self.told_all)(call)

    def told_all(self, call: GraphCall) -> GraphReply:
        """The credentials of the call, at every depth, in names and values, in headers."""
        link = self.link(call)
        value = {
            "id": "1",
            "message_templates": {
                "data": [{"name": "t", "id": "7", "paging": {"next": link, "previous": link}}],
                "paging": {"cursors": {"before": "MA", "after": "MQ"}, "next": link},
            },
            "metadata": {"connections": {"phone_numbers": link}},
            "deep": [[[{"access_token": call.token, "text": f"Malformed access token {call.token}", call.token: 1}]]],
            "inside": [f"see {link} there", quote(link, safe=""), orjson.dumps({"next": link}).decode()],
        }
        return GraphReply(200, value, self.headers(call))

    def refusal(self, call: GraphCall) -> GraphReply:
        link = self.link(call)
        error = {"message": f"Malformed access token {call.token}", "type": "OAuthException", "code": 190}
        more = {
            "error_data": {"details": f"try {link}"},
            "error_user_msg": quote(link, safe=""),
            "fbtrace_id": call.token,
        }
        return GraphReply(400, {"error": {**error, **more}}, self.headers(call))

    def headers(self, call: GraphCall) -> dict[str, str]:
        link = self.link(call)
        return {
            "location": link,
            "link": f'<{link}>; rel="next"',
            "www-authenticate": f'OAuth "Facebook Platform" "{call.token}"',
            "x-fb-trace-id": call.token,
            "x-app-usage": orjson.dumps({"call_count": 1, "next": link}).decode(),
            "x-business-use-case-usage": '{"1":[{"call_count":2}]}',
        }

    def link(self, call: GraphCall) -> str:
        """A link as Graph's paging has it."""
        proof = call.query.get("appsecret_proof", "")
        rest = f"access_token={call.token}&appsecret_proof={proof}&limit=1&after=MQ%3D%3D"
        return f"https://graph.facebook.com/v23.0/1/message_templates?{rest}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
