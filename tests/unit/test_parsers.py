"""Any bytes, any JSON: each parser takes it or refuses it in its own words. Every run tries the same cases."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.clock import moment_of
from config.digits import INT64_MAX, whole_number_in
from config.errors import RequestRefused
from config.json_limits import MAX_LEVELS, value_fault
from config.redaction import Redactor
from services.campaigns.requests import parse_campaign, parse_changes, parse_people
from services.cloud_webhook import parse_notification
from services.contacts import parse_decision, parse_identity, parse_patch
from services.contacts.csv.records import CsvReader
from services.contacts.csv.rows import import_row
from services.egress import AddressPolicy, check_url
from services.media.multipart import FilePart, read_form
from services.messages import parse_send_request
from services.messages.requests import parse_send_at
from services.webhook_endpoints.requests import parse_endpoint, parse_redelivery

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ODD = st.sampled_from(
    [2**63, -(2**63) - 1, 1e308, "9" * 5000, "\0", "\u00b2", "\u0663", "http://[", "9999-12-31T23:59:59-23:59", "", " "]
)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | ODD
NAMES = st.sampled_from(
    (
        "to from type text body name labels attributes proof at category send_at url expires_at events headers numbers "
        "secret template language components audience image recipients variables since event_ids from_seq to_seq "
        "metadata context interactive entry changes value field messages statuses contacts errors id timestamp profile"
    ).split()
)
JSON = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=5),
    max_leaves=25,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=8)

LINES = (b"to,name\r\n", b"1650555,x\n", b'"', b"\xff", b"\0")

fixed = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@fixed
@given(OBJECTS)
def test_any_object_is_an_order_or_is_refused(raw: dict[str, Any]) -> None:
    for parse in (
        lambda: parse_send_request(raw, now=NOW),
        lambda: parse_send_at(raw, now=NOW),
        lambda: parse_patch(raw),
        lambda: parse_decision(raw, NOW),
        lambda: parse_identity(raw.get("to")),
        lambda: parse_campaign(raw, now=NOW),
        lambda: parse_changes(raw, now=NOW),
        lambda: parse_people(raw),
        lambda: parse_endpoint(raw, is_new=True),
        lambda: parse_endpoint(raw, is_new=False),
        lambda: parse_redelivery(raw),
    ):
        with contextlib.suppress(RequestRefused):
            parse()


@fixed
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_notification_or_are_refused(raw: bytes) -> None:
    with contextlib.suppress(RequestRefused):
        parse_notification(raw)


@fixed
@given(
    st.lists(
        st.binary(max_size=40) | st.sampled_from([b"to,name\r\n", b"1650555,x\n", b'"', b"\xff", b"\0"]), max_size=6
    )
)
def test_any_bytes_are_csv_or_are_refused(pieces: list[bytes]) -> None:
    reader = CsvReader()
    with contextlib.suppress(RequestRefused):
        for position, piece in enumerate(pieces):
            for record in reader.feed(piece, is_last=position == len(pieces) - 1):
                import_row(record, NOW)


@fixed
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_any_text_is_a_url_or_is_refused(text: str) -> None:
    for start in ("", "http://", "https://x.test/", "https://"):
        with contextlib.suppress(RequestRefused):
            check_url(start + text, AddressPolicy(allow_private=True, allow_http=True))


@fixed
@given(st.text(max_size=40), st.binary(max_size=120))
async def test_any_bytes_are_a_form_or_are_refused(content_type: str, body: bytes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield body

    async def keep(part: FilePart, data: AsyncIterator[bytes]) -> int:
        return sum([len(piece) async for piece in data])

    for kind in (content_type, f"multipart/form-data; boundary={content_type}", "multipart/form-data; boundary=x"):
        with contextlib.suppress(RequestRefused):
            await read_form(pieces(), kind, store=keep)


@fixed
@given(st.text(max_size=40))
def test_any_text_is_a_number_a_time_or_none(text: str) -> None:
    number = whole_number_in(text)
    assert number is None or 0 <= number <= INT64_MAX
    moment_of(text)
    Redactor(secrets=["correct-horse"]).text(text)


@fixed
@given(JSON)
def test_what_has_no_fault_can_be_stored(value: Any) -> None:
    if value_fault(value) is None:
        assert depth(value) <= MAX_LEVELS


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)
