"""Odd requests for every call of the API reference: one value of a good request is replaced by one that hurts.

The requests are the same in every run. They are built from the examples of the OpenAPI document.
"""

import copy
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any
from urllib.parse import quote

NUMERALS = ("1" * 5000, str(2**63), str(2**64 - 1), str(2**64), str(-(2**63) - 1), "1e999", "NaN", "-0.0", "1.5")
DEEP_LIST = "[" * 300 + "]" * 300
DEEP_OBJECT = '{"a":' * 120 + "1" + "}" * 120
DEEP_SMALL = '{"a":' * 64 + "[]" + "}" * 64
JSON_VALUES = (
    *NUMERALS,
    DEEP_LIST,
    DEEP_OBJECT,
    DEEP_SMALL,
    "true",
    "null",
    "[]",
    "{}",
    "[null]",
    "[{}]",
    "[[1]]",
    '["x",1]',
    '{"$gt":""}',
    '{"a.b":1,"$where":"1"}',
    '{"\\u0000":1}',
    '{"":1}',
    '""',
    '" "',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '"\\u202e\\ufeff"',
    '"²"',
    '"٣٤٥٦٧٨٩"',
    f'"{"9" * 5000}"',
    f'"{"x" * 20_000}"',
    '"http://["',
    '"https://a..b/"',
    f'"https://{"a" * 70}.test/"',
    '"https://.test"',
    '"https://xn--\\u00e9.test/"',
    '"javascript:alert(1)"',
    '"9999-12-31T23:59:59-23:59"',
    '"0001-01-01T00:00:00+23:59"',
    '"2026-13-45T99:99:99Z"',
    '"{{1}}{{"',
    '"CR\\r\\nLF"',
)
"""JSON texts, so that there may stand what no JSON library writes."""

WORDS = (
    "9" * 5000,
    "-1",
    "%C2%B2",
    "%D9%A3",
    "1_0",
    "%001",
    "nan",
    "inf",
    "1e999",
    "-inf",
    str(2**63),
    str(2**64),
    "%00",
    "%FF",
    "%ED%A0%80",
    "%F0%9F%98%80",
    "%",
    "%zz",
    "%24where",
    "a.b",
    "..%2F..%2Fx",
    "%0D%0A",
    "",
    "%20",
    "x" * 3000,
    "zzzzzzzzzzzzz",
    "zzzzzzzzzzzz",
    "[]",
    "%7B%22%24gt%22%3A1%7D",
)
"""Values in a path or a query, as they stand on the wire."""

BODIES = (
    b"",
    b"null",
    b"[]",
    b"1",
    b'"x"',
    b"{",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b"{}",
    b'{"a":1,"a":2}',
    DEEP_LIST.encode(),
    DEEP_OBJECT.encode(),
    b"[" * 100_000,
    b"\x00" * 100,
    b'{"\xed\xa0\x80":1}',
)

MARK = "\uf8ff"
MOST_PLACES = 40


@dataclass(frozen=True, slots=True)
class Odd:
    """One odd request. ``operation`` is method and path of the document."""

    operation: tuple[str, str]
    target: str
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def __str__(self) -> str:
        return f"{self.operation[0]} {self.target[:200]} {self.headers!r:.200} {self.body[:300]!r}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: its status, and its body."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Wire:
    """Sends bytes as they are, over one connection while it lasts."""

    def __init__(self, port: int, key: str, timeout_s: float = 30.0) -> None:
        self._port = port
        self._key = key.encode()
        self._timeout_s = timeout_s
        self._connection: socket.socket | None = None

    def ask(self, odd: Odd) -> Heard:
        """The answer. The body of a stream is not waited for."""
        own = {name.lower() for name, _ in odd.headers}
        lines = [f"{odd.operation[0]} {odd.target} HTTP/1.1".encode("latin-1")]
        if b"host" not in own:
            lines.append(b"host: 127.0.0.1")
        if b"authorization" not in own:
            lines.append(b"authorization: Bearer " + self._key)
        if odd.body and b"content-type" not in own:
            lines.append(b"content-type: application/json")
        if odd.body or odd.operation[0] not in ("GET", "DELETE"):
            lines.append(b"content-length: %d" % len(odd.body))
        lines += [name + b": " + value for name, value in odd.headers]
        data = b"\r\n".join(lines) + b"\r\n\r\n" + odd.body
        for attempt in range(2):
            is_kept = self._connection is not None
            try:
                return self._once(data, odd.operation[0])
            except (OSError, http.client.HTTPException):
                self.close()
                if attempt or not is_kept:
                    raise
        raise AssertionError("not reached")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, data: bytes, method: str) -> Heard:
        if self._connection is None:
            self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=self._timeout_s)
        self._connection.sendall(data)
        answer = http.client.HTTPResponse(self._connection, method=method)
        answer.begin()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        if headers.get("content-type", "").startswith("text/event-stream") or answer.status == 101:
            self.close()
            return Heard(answer.status, b"", headers)
        body = answer.read()
        if answer.will_close:
            self.close()
        return Heard(answer.status, body, headers)


def odd_requests(document: dict[str, Any], ids: dict[str, str]) -> Iterator[Odd]:
    """Odd requests for every operation. ``ids`` has a good value for each parameter of a path."""
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            operation = (method.upper(), path)
            good = _target(path, ids)
            yield from _odd_paths(operation, path, ids)
            yield from _odd_queries(operation, good, call)
            yield from _odd_headers(operation, good, call)
            content = call.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                yield from (Odd(operation, good, body) for body in BODIES)
                yield from (Odd(operation, good, body) for body in _bodies_of(document, content["application/json"]))


def _target(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    assert "{" not in path, f"no good value for {path}"
    return path


def _odd_paths(operation: tuple[str, str], path: str, ids: dict[str, str]) -> Iterator[Odd]:
    for name in ids:
        if f"{{{name}}}" in path:
            for word in WORDS:
                if word:
                    yield Odd(operation, _target(path.replace(f"{{{name}}}", word), ids))


def _odd_queries(operation: tuple[str, str], good: str, call: dict[str, Any]) -> Iterator[Odd]:
    names = [one["name"] for one in call.get("parameters", []) if one["in"] == "query"]
    for name in names:
        for word in WORDS:
            yield Odd(operation, f"{good}?{name}={word}")
        yield Odd(operation, f"{good}?{name}=1&{name}=x&{name}=")
        yield Odd(operation, f"{good}?{name}[]=1")
    for query in ("%FF=%FF", "%00=1", "=", "&&&", "a" * 4000, "%ED%A0%80=1", "fields=%00", "fields=%24a.b%7B"):
        yield Odd(operation, f"{good}?{query}")


def _odd_headers(operation: tuple[str, str], good: str, call: dict[str, Any]) -> Iterator[Odd]:
    names = [one["name"].lower().encode() for one in call.get("parameters", []) if one["in"] == "header"]
    for name in names:
        for value in (b"\xff\xfe", b"", b"x" * 5000, "²".encode(), b"9" * 5000, b"-1", b"bytes=0-0,1-2"):
            yield Odd(operation, good, headers=((name, value),))
        for value in (b"9" * 5000 + b"-", b"-" + b"9" * 5000, "²-".encode(), "-٣".encode()):
            yield Odd(operation, good, headers=((name, b"bytes=" + value),))
    for value in (
        b"Bearer \xff\xfe",
        b"Bearer ",
        b"\xff",
        "Bearer ²".encode(),
        b"Basic Og==",
        b"Bearer " + b"x" * 5000,
    ):
        yield Odd(operation, good, headers=((b"authorization", value),))


def _bodies_of(document: dict[str, Any], media: dict[str, Any]) -> Iterator[bytes]:
    bases = [one["value"] for one in media.get("examples", {}).values()] or [{}]
    seen: set[str] = set()
    for base in bases:
        yield from odd_bodies(base, seen=seen)
    if isinstance(bases[0], dict):
        for name in sorted(_names_of_schema(document, media.get("schema", {})) - seen):
            for value in JSON_VALUES:
                yield _with(bases[0], (name,), value)


def odd_bodies(
    base: Any, *, most: int = MOST_PLACES, seen: set[str] | None = None, start: int = 0, every: int = 1
) -> Iterator[bytes]:
    """``base``, and ``base`` with each odd value in each of its first places; places that were seen are left out.

    Of all these the one at ``start``, and each ``every``th after it.
    """
    seen = set() if seen is None else seen
    yield json.dumps(base).encode()
    places = [place for place in _places(base) if _name_of(place) not in seen][:most]
    seen |= {_name_of(place) for place in places}
    for place, value in islice(product(places, JSON_VALUES), start, None, every):
        yield _with(base, place, value)


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _places(item, (*at, name))
    elif isinstance(value, list):
        for position, item in enumerate(value[:2]):
            yield from _places(item, (*at, position))


def _name_of(place: tuple[Any, ...]) -> str:
    return ".".join("0" if isinstance(part, int) else part for part in place)


def _with(base: Any, place: tuple[Any, ...], value: str) -> bytes:
    """The JSON of ``base`` with the text ``value`` in this place."""
    changed = copy.deepcopy(base)
    inner = changed
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = MARK
    return json.dumps(changed, ensure_ascii=False).replace(f'"{MARK}"', value).encode("utf-8", "surrogatepass")


def _names_of_schema(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        return _names_of_schema(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    names = set(schema.get("properties", {}))
    for kind in ("oneOf", "anyOf", "allOf"):
        for one in schema.get(kind, []):
            names |= _names_of_schema(document, one)
    return names
