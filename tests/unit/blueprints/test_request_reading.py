"""Reading a request: every fault is named, nothing that cannot be kept gets through."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sanic import HTTPResponse, Request

from blueprints.request_reading import (
    WATCHED_S,
    choice,
    cursor_of,
    cursor_text,
    idempotency_key,
    json_object,
    limit_of,
    needs,
    optional_json_object,
    word,
)
from blueprints.uploads import receive_body
from config.errors import RequestRefused
from services.keys import ALL_SCOPES, Caller, Scope
from services.messages import MessageStatus
from services.store import DatabaseUnavailable
from tests.doubles.clock import virtual_time


def request(body: bytes = b"", headers: dict[str, str] | None = None, **args: str) -> Request:
    """As much of a request as is read here."""
    return cast(Request, SimpleNamespace(body=body, headers=headers or {}, args=args))


def faults(refused: pytest.ExceptionInfo[RequestRefused]) -> list[str]:
    return [fault.path for fault in refused.value.faults]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"NaN", b'{"a": NaN}', b'{"a": "\xff"}', b'{"a": "\\ud800"}']
)
def test_what_is_not_a_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(RequestRefused) as refused:
        json_object(request(body))
    assert refused.value.code == "invalid_json"


@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0", codec="utf-8")),
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    )
)
def test_every_json_object_is_read_as_it_is(value: dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert json_object(request(text.encode())) == value


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"a": {"b": [18446744073709551615]}}', "a.b[0]"),
        (b'{"a": 9223372036854775808}', "a"),
        (b'{"a": {"\\u0000": 1}}', "a"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "a" + "[0]" * 31),
        (b'{"a": ' + b'{"b":' * 300 + b"1" + b"}" * 300 + b"}", "a" + ".b" * 31),
    ],
)
def test_what_the_database_cannot_hold_is_refused_with_its_path(body: bytes, path: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        json_object(request(body))
    assert refused.value.code == "invalid_request"
    assert faults(refused) == [path]


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 9223372036854775807, "b": -9223372036854775808, "c": 1e300}',
        b'{"a": "\\u0000", "b.c": {"$gt": 1}}',
        b'{"a": [' + b"{}," * 100 + b"{}]}",
        b'{"a": ' + b"[" * 31 + b"]" * 31 + b"}",
    ],
)
def test_what_only_looks_like_it_is_taken(body: bytes) -> None:
    assert json_object(request(body)) == json.loads(body)


@pytest.mark.parametrize(
    "text", ["0", "201", "-1", "x", "", "1.5", "1" * 30, "1" * 5_000, "²", "٣٣٣٣", "1_0", "+1", " 1", " "]
)
def test_a_limit_outside_its_range_is_refused(text: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        limit_of(request(limit=text))
    assert faults(refused) == ["limit"]


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("200", 200)])
def test_a_limit_within_its_range_is_taken(text: str, limit: int) -> None:
    assert limit_of(request(limit=text)) == limit
    assert limit_of(request()) == 50


@given(st.integers(1, 2**63 - 1))
def test_a_cursor_comes_back_as_it_was_given(order: int) -> None:
    text = cursor_text(order)
    assert text.isascii()
    assert cursor_of(request(cursor=text)) == order


@pytest.mark.parametrize("text", ["0", "-1", "!", "", "z" * 20, "z" * 5_000, "$ne", "\0"])
def test_a_cursor_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        cursor_of(request(cursor=text))
    assert faults(refused) == ["cursor"]


@pytest.mark.parametrize("text", ["", "x" * 129, "a\0b"])
def test_a_word_has_a_length_and_no_nul(text: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        word(request(to=text), "to")
    assert faults(refused) == ["to"]
    assert word(request(), "to") is None


def test_a_choice_names_what_there_is_to_choose() -> None:
    assert choice(request(status="read"), "status", MessageStatus) is MessageStatus.READ
    assert choice(request(), "status", MessageStatus) is None
    with pytest.raises(RequestRefused) as refused:
        choice(request(status="sleeping"), "status", MessageStatus)
    assert "delivered" in refused.value.faults[0].reason


@pytest.mark.parametrize("key", ["", "x" * 256, "\udcff", "a\nb", "a\0b", "\u200b"])
def test_an_idempotency_key_that_cannot_be_kept_is_refused(key: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        idempotency_key(request(headers={"idempotency-key": key}))
    assert faults(refused) == ["Idempotency-Key"]


@pytest.mark.parametrize("key", ["a", "x" * 255, "5f0c 9 ü", "💬"])
def test_any_printable_idempotency_key_is_taken(key: str) -> None:
    assert idempotency_key(request(headers={"idempotency-key": key})) == key
    assert idempotency_key(request()) is None


class SlowKeyCache:
    """Knows every key, after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def caller(self, _: str | None) -> Caller:
        await asyncio.sleep(self._seconds)
        return Caller(key_id="key_1", name="watcher", scopes=ALL_SCOPES)


@virtual_time
async def test_a_view_of_the_health_waits_for_no_key_and_says_what_it_did_not_hear() -> None:
    @needs(Scope.CLUSTER_READ, within_s=WATCHED_S)
    async def view(_: Request) -> HTTPResponse:
        return HTTPResponse("fine")

    def asked(seconds: float) -> Request:
        one = request(headers={"authorization": "Bearer x"})
        one.app = SimpleNamespace(ctx=SimpleNamespace(services=SimpleNamespace(key_cache=SlowKeyCache(seconds))))  # type: ignore[assignment]
        one.ctx, one.route = SimpleNamespace(), None
        return one

    assert (await view(asked(1.0))).body == b"fine"  # type: ignore[union-attr]
    began = asyncio.get_running_loop().time()
    with pytest.raises(DatabaseUnavailable) as unheard:
        await view(asked(100.0))
    assert asyncio.get_running_loop().time() - began == pytest.approx(WATCHED_S)
    assert "Not heard" in unheard.value.text


def test_a_body_that_may_be_left_out_is_an_empty_object() -> None:
    assert optional_json_object(request(b"")) == {}
    assert optional_json_object(request(b'{"a":1}')) == {"a": 1}
    with pytest.raises(RequestRefused):
        optional_json_object(request(b"[]"))


class Stream:
    """A body that arrives in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = [*pieces, None]

    async def read(self) -> bytes | None:
        return self.pieces.pop(0)


def streamed(*pieces: bytes, most: int) -> Request:
    one = request(b"")
    one.stream = Stream(*pieces)  # type: ignore[assignment]
    limits = SimpleNamespace(max_body_bytes=most)
    one.app = SimpleNamespace(ctx=SimpleNamespace(services=SimpleNamespace(settings=limits)))  # type: ignore[assignment]
    return one


async def test_a_body_in_pieces_is_read_like_one_that_came_at_once() -> None:
    one = streamed(b'{"a":', b"[1,", b"2]}", most=11)
    await receive_body(one)
    assert json_object(one) == {"a": [1, 2]}


async def test_a_body_in_pieces_has_the_limit_of_json_bodies() -> None:
    with pytest.raises(RequestRefused) as refused:
        await receive_body(streamed(b'{"a":', b"[1,", b"2]}", most=10))
    assert refused.value.code == "body_too_large"
