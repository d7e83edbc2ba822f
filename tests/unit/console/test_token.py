"""A session cookie says who, since when and last active when; anything that we did not sign says nothing."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console import Ticket, sign, verified

SECRET = b"s" * 32
TICKET = Ticket("5e5510", "key_01M8657MAA0BGY9XSW5YXNTZKM", 1_795_505_116_789, 1_795_505_200)


def test_what_was_signed_is_read_back() -> None:
    assert verified(sign(TICKET, SECRET), SECRET) == TICKET


def test_another_secret_reads_nothing() -> None:
    assert verified(sign(TICKET, SECRET), b"t" * 32) is None


@pytest.mark.parametrize("position", range(0, 100, 7))
def test_a_changed_letter_makes_it_worthless(position: int) -> None:
    text = sign(TICKET, SECRET)
    changed = text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]
    assert verified(changed, SECRET) is None


@given(st.text(max_size=600))
def test_no_text_of_a_stranger_is_taken_or_raises(text: str) -> None:
    assert verified(text, SECRET) is None


@pytest.mark.parametrize("text", ["\udcff\udcfe", "2.a.b.1.1.\u00e9", "\U0001f41d.", "2.a.b.1.1.\udc80"])
def test_bytes_that_are_no_text_are_no_cookie_of_ours(text: str) -> None:
    assert verified(text, SECRET) is None


def test_a_cookie_of_the_version_before_is_no_session_any_more() -> None:
    body = "1.key_01M8657MAA0BGY9XSW5YXNTZKM.1795505116.1795505200"
    signature = base64.urlsafe_b64encode(hmac.digest(SECRET, body.encode(), hashlib.sha256)).decode().rstrip("=")
    assert verified(f"{body}.{signature}", SECRET) is None


def test_it_holds_no_key_and_no_secret() -> None:
    text = sign(TICKET, SECRET)
    assert SECRET.decode() not in text
    assert text.startswith("2.5e5510.key_01M8657MAA0BGY9XSW5YXNTZKM.")
