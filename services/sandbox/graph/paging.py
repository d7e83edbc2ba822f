"""Lists as Graph gives them: data, cursors, and an absolute `next` only where another page exists.

Process: sandbox.
"""

import base64
from collections.abc import Sequence
from urllib.parse import urlencode

from config.digits import whole_number_in
from services.sandbox.graph.call import Call
from services.sandbox.wire.faults import GraphFault
from services.sandbox.wire.shapes import Json

LIMIT = 25
LIMIT_MOST = 1000


def page_of(call: Call, things: Sequence[Json]) -> Json:
    """The page that `limit`, `after` and `before` ask for; clients follow `next` and `previous` word by word."""
    limit = _whole(call.query.get("limit"), LIMIT)
    limit = max(1, min(limit, LIMIT_MOST))
    start = 0
    if call.query.get("after"):
        start = _position(call.query["after"]) + 1
    elif call.query.get("before"):
        start = max(0, _position(call.query["before"]) - limit)
    shown = list(things[start : start + limit])
    answer: Json = {"data": shown}
    if shown:
        first, last = start, start + len(shown) - 1
        paging: Json = {"cursors": {"before": _cursor(first), "after": _cursor(last)}}
        if last + 1 < len(things):
            paging["next"] = _link(call, after=_cursor(last))
        if first > 0:
            paging["previous"] = _link(call, before=_cursor(first))
        answer["paging"] = paging
    return answer


def fields_of(call: Call, thing: Json, *, standard: Sequence[str] | None = None) -> Json:
    """The keys that `fields` names (and always `id`); without `fields` the standard ones, or all."""
    wanted = call.query.get("fields")
    if not wanted:
        return {key: value for key, value in thing.items() if standard is None or key in standard}
    names = {name.partition("{")[0].partition(".")[0].strip() for name in _split(wanted)}
    return {key: value for key, value in thing.items() if key in names or key == "id"}


def _split(fields: str) -> list[str]:
    """Commas outside braces: `a,b{c,d}` are two fields."""
    parts, depth = [""], 0
    for letter in fields:
        depth += (letter in "{(") - (letter in "})")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _link(call: Call, **cursor: str) -> str:
    query = {name: text for name, text in call.query.items() if name not in ("after", "before", "access_token")}
    base = f"{call.request.scheme}://{call.request.host}{call.path}"
    return f"{base}?{urlencode({**query, **cursor})}"


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(b"at:%d" % position).decode("ascii")


def _position(cursor: str) -> int:
    try:
        word, _, number = base64.urlsafe_b64decode(cursor).partition(b":")
        if word == b"at":
            return whole_number_in(number.decode("ascii")) or 0
    except ValueError:
        pass
    raise GraphFault(100, "Invalid cursor.")


def _whole(text: str | None, default: int) -> int:
    if not text:
        return default
    value = whole_number_in(text)
    if value is None:
        raise GraphFault(100, "Param limit must be a number.")
    return value
