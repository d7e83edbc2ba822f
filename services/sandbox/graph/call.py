"""A Graph call, taken apart: path without version, token, parameters. And what a handler answers.

Process: sandbox.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from config.json_limits import json_fault
from services.sandbox.wire.faults import GraphFault, unknown_object
from services.sandbox.wire.shapes import Json, digits_of
from services.sandbox.world.rules import NOTHING, Verdict

VERSION = re.compile(r"v[0-9]{1,3}(\.[0-9]{1,3})?")
RAW_PREFIX = "upload:"
"""Upload sessions: their body is a file, whatever its content type says."""
JSON_LIMIT_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """`segments` is the path without version and empty ends; `body` is the JSON or form body, empty for uploads."""

    request: web.Request
    method: str
    path: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    body: Json = field(default_factory=dict)
    verdict: Verdict = NOTHING

    @property
    def node(self) -> str:
        """The object that the call is about."""
        return self.segments[0] if self.segments else ""

    @property
    def edge(self) -> str:
        """What of the object: `messages`, `media` …, "" for the object itself."""
        return "/".join(self.segments[1:])

    @property
    def kind(self) -> str | None:
        """The message type, for rules and the log."""
        if self.edge not in ("messages", "marketing_messages"):
            return None
        if self.body.get("status") is not None:
            return "typing" if self.body.get("typing_indicator") else "read"
        kind = self.body.get("type")
        return kind if isinstance(kind, str) else "text"

    @property
    def to(self) -> str | None:
        """The recipient as digits, or as a user id."""
        to = self.body.get("to")
        if to is None:
            to = self.body.get("recipient")
        if to is None:
            return None
        return digits_of(to) or str(to) if not re.match(r"[A-Z]{2}\.", str(to)) else str(to)

    def parameter(self, name: str) -> Any:
        """From the body, else from the query: clients put some parameters in either."""
        value = self.body.get(name)
        return value if value is not None else self.query.get(name)

    def no_such_object(self) -> GraphFault:
        return unknown_object(self.node, self.method)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back, and what the log of accepted calls says of it."""

    value: Any
    to: str | None = None
    wamid: str | None = None
    biz: str | None = None
    status: int = 200


SUCCESS: Json = {"success": True}


def split_path(path: str) -> tuple[str, ...]:
    """Path segments without version: every version is known, and none is one too."""
    parts = [part for part in path.split("/") if part]
    if parts and VERSION.fullmatch(parts[0]):
        del parts[0]
    return tuple(parts)


async def read_call(request: web.Request) -> Call:
    """Take the request apart; JSON and form bodies are read, all others are left to the handler."""
    body: Json = {}
    segments = split_path(request.path)
    is_raw = bool(segments) and segments[0].startswith(RAW_PREFIX)
    if request.method in ("POST", "DELETE", "PUT") and request.can_read_body and not is_raw:
        content_type = request.content_type
        if content_type == "application/json" or content_type.startswith("text/"):
            body = _json_body(await _read(request))
        elif content_type == "application/x-www-form-urlencoded":
            data = await _read(request)
            # curl -d names JSON a form: what begins with a brace is JSON.
            body = _json_body(data) if data.lstrip()[:1] == b"{" else _form_body(data)
    return Call(request, request.method, request.path, segments, request.query, body)


def token_of(call: Call) -> str | None:
    """The access token: `Authorization: Bearer` or `OAuth`, else `access_token` in the query or a form."""
    header = call.request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() in ("bearer", "oauth"):
        return token.strip()
    token = call.query.get("access_token") or call.body.get("access_token") or ""
    return str(token) or None


async def _read(request: web.Request) -> bytes:
    data = bytearray()
    async for part in request.content.iter_any():
        data += part
        if len(data) > JSON_LIMIT_BYTES:
            raise GraphFault(100, f"The body is larger than {JSON_LIMIT_BYTES} bytes.", http=413)
    return bytes(data)


def _json_body(data: bytes) -> Json:
    if not data.strip():
        return {}
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise GraphFault(100, f"The body is not valid JSON: {error}.") from error
    if not isinstance(body, dict):
        raise GraphFault(100, "The body must be a JSON object.")
    if (fault := json_fault(data, body)) is not None:
        raise GraphFault(100, f"Param {fault.path} {fault.reason}.")
    return body


def _form_body(data: bytes) -> Json:
    """Graph takes forms too; values that are JSON objects or arrays are read as such."""
    body: Json = {}
    for name, text in parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True):
        body[name] = text
        if text[:1] in ("{", "["):
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError:
                continue
            body[name] = value if json_fault(text.encode(), value) is None else text
    return body
