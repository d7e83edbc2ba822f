"""A session cookie says who, since when and last active when; anything that we did not sign says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console import Ticket, sign, verified

SECRET = b"s" * 32
TICKET = Ticket("key_01M8657MAA0BGY9XSW5YXNTZKM", 1_795_505_116, 1_795_505_200)


def test_what_was_signed_is_read_back() -> None:
    assert verified(sign(TICKET, SECRET), SECRET) == TICKET


def test_another_secret_reads_nothing() -> None:
    assert verified(sign(TICKET, SECRET), b"t" * 32) is None


@pytest.mark.parametrize("position", range(0, 90, 7))
def test_a_changed_letter_makes_it_worthless(position: int) -> None:
    text = sign(TICKET, SECRET)
    changed = text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]
    assert verified(changed, SECRET) is None


@given(st.text(max_size=600))
def test_no_text_of_a_stranger_is_taken_or_raises(text: str) -> None:
    assert verified(text, SECRET) is None


def test_it_holds_no_key_and_no_secret() -> None:
    text = sign(TICKET, SECRET)
    assert SECRET.decode() not in text
    assert text.startswith("1.key_01M8657MAA0BGY9XSW5YXNTZKM.")
