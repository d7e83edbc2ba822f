"""What a template message says: the body of its template with the message's variables in it. Pure.

Process: whatsapp.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_VARIABLE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")

Json = Mapping[str, Any]


def body_text(components: Sequence[Json] | None, sent: Json) -> str | None:
    """The body as its reader sees it; a variable that was not given stays as it is. None: there is no body to fill.

    ``sent`` is the `template` object of a message.
    """
    body = _part(components, "body")
    text = body.get("text") if body is not None else None
    if not isinstance(text, str):
        return None
    given = [one for one in (_part(sent.get("components"), "body") or {}).get("parameters") or () if _is_json(one)]
    by_name = {str(one["parameter_name"]): one for one in given if one.get("parameter_name")}

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        parameter = by_name.get(name)
        if parameter is None and name.isascii() and name.isdigit() and 0 < int(name) <= len(given):
            parameter = given[int(name) - 1]
        return (_value(parameter) if parameter is not None else "") or found[0]

    return _VARIABLE.sub(fill, text)


def _part(components: object, kind: str) -> Json | None:
    for part in components if isinstance(components, Sequence) else ():
        if _is_json(part) and str(part.get("type")).lower() == kind:
            found: Json = part
            return found
    return None


def _value(parameter: Json) -> str:
    """A text as it is; money and dates as their ``fallback_value``, which is what everybody's phone can show."""
    plain = parameter.get("text")
    if isinstance(plain, str):
        return plain
    localizable = parameter.get("currency") or parameter.get("date_time")
    return str(localizable.get("fallback_value") or "") if isinstance(localizable, Mapping) else ""


def _is_json(value: object) -> bool:
    return isinstance(value, Mapping)
