"""Answers of the control API: JSON, and plain words where the caller got it wrong.

Process: sandbox.
"""

from typing import Any

import orjson
from aiohttp import web
from pydantic import ValidationError

from config.digits import whole_number_in
from config.json_limits import json_fault
from services.sandbox.wire.shapes import Json, answer_bytes

MOST_LISTED = 1_000_000


class ControlRefused(Exception):
    """The test asked for something that is not there or makes no sense."""

    def __init__(self, text: str, *, status: int = 400) -> None:
        self.status = status
        super().__init__(text)


def answer(value: Any, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=answer_bytes(value), content_type="application/json")


def refusal(error: ControlRefused) -> web.Response:
    return answer({"error": str(error)}, status=error.status)


def told(error: ValidationError) -> ControlRefused:
    """A model's complaints in one line."""
    lines = [f"{'.'.join(str(part) for part in one['loc']) or 'body'}: {one['msg']}" for one in error.errors()]
    return ControlRefused("; ".join(lines))


async def json_of(request: web.Request) -> Any:
    """The JSON body; nothing is an empty object."""
    data = await request.read()
    if not data.strip():
        return {}
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ControlRefused(f"The body is not valid JSON: {error}.") from error
    if (fault := json_fault(data, value)) is not None:
        raise ControlRefused(f"{fault.path or 'The body'}: {fault.reason}.")
    return value


async def object_of(request: web.Request) -> Json:
    body = await json_of(request)
    if not isinstance(body, dict):
        raise ControlRefused("The body must be a JSON object.")
    return body


def numbers_of(request: web.Request) -> frozenset[str] | None:
    """The business numbers to which this call is limited (`numbers=1,2`); None: to none."""
    text = request.query.get("numbers")
    return None if text is None else frozenset(part for part in text.split(",") if part)


def count_of(request: web.Request, name: str, default: int) -> int:
    """A whole number of the query."""
    text = request.query.get(name)
    if text is None:
        return default
    value = whole_number_in(text)
    if value is None:
        raise ControlRefused(f"{name}: a whole number, not {text[:40]!r}.")
    return min(value, MOST_LISTED * 1000)
