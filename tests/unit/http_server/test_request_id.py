"""A request's id goes into logs and answers: the client's own only when it can do no harm there."""

import uuid

import pytest

from services.http_server.request_id import MAX_CHARS, request_id_of


@pytest.mark.parametrize("given", ["a", "0123", "A-b_c.9", "x" * MAX_CHARS, "38197851-2DB8-4285-988E-D326BF9A36A1"])
def test_a_plain_id_is_kept_letter_by_letter(given: str) -> None:
    assert request_id_of(given) == given


@pytest.mark.parametrize(
    "given",
    [None, "", "a\n", "a b", "a\x1b[0m", "\udcff", "ñ", "\uff11", "a/b", "<b>", '"', "x" * (MAX_CHARS + 1), "a\u2028"],
)
def test_any_other_is_replaced_by_our_own(given: str | None) -> None:
    assert isinstance(request_id_of(given), uuid.UUID)
