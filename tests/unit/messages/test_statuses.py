"""What WhatsApp says of a message may come in any order and more than once: the end is the same."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.messages import MessageStatus, next_status
from services.messages.states import MOVES

S = MessageStatus
WORDS = ["sent", "delivered", "read", "failed"]
RANK = {"sent": 0, "failed": 1, "delivered": 2, "read": 3}
BEGINNINGS = [S.SENDING, S.SENT, S.UNCERTAIN]


def end_of(start: MessageStatus, words: list[str] | tuple[str, ...]) -> MessageStatus:
    state = start
    for word in words:
        state = next_status(state, word) or state
    return state


@pytest.mark.parametrize("start", BEGINNINGS)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_order_ends_in_the_same_state(start: MessageStatus, count: int) -> None:
    for words in permutations(WORDS, count):
        assert end_of(start, words) == end_of(start, sorted(words, key=RANK.__getitem__)), words


def test_the_proof_of_an_earlier_try_ends_in_the_same_state_in_every_order() -> None:
    for words in permutations(["sent", "delivered", "read"]):
        assert end_of(S.QUEUED, words) == end_of(S.HELD, words) == S.READ


@pytest.mark.parametrize("start", BEGINNINGS)
@given(words=st.lists(st.sampled_from([*WORDS, "played", "deleted", ""]), min_size=1, max_size=12))
def test_duplicates_and_unknown_words_change_nothing(start: MessageStatus, words: list[str]) -> None:
    once = sorted({word for word in words if word in RANK or word == "played"}, key=lambda word: RANK.get(word, 3))
    assert end_of(start, words) == end_of(start, once)


@given(start=st.sampled_from(S), words=st.lists(st.sampled_from([*WORDS, "played"]), max_size=8))
def test_each_step_is_a_move_of_the_table(start: MessageStatus, words: list[str]) -> None:
    state = start
    for word in words:
        after = next_status(state, word)
        if after is not None:
            assert after in MOVES[state]
            state = after


def test_delivered_proves_that_a_failure_was_none() -> None:
    assert end_of(S.SENT, ["failed", "delivered"]) is S.DELIVERED
    assert end_of(S.SENT, ["delivered", "failed"]) is S.DELIVERED


def test_a_voice_note_that_was_played_was_read() -> None:
    assert next_status(S.DELIVERED, "played") is S.READ
    assert next_status(S.READ, "played") is None


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("state", [S.CANCELED, S.RECEIVED, S.READ])
def test_nothing_moves_what_has_ended(state: MessageStatus, word: str) -> None:
    assert next_status(state, word) is None


@pytest.mark.parametrize(("word", "after"), [("sent", S.SENT), ("delivered", S.DELIVERED), ("read", S.READ)])
@pytest.mark.parametrize("state", [S.SENDING, S.UNCERTAIN, S.QUEUED])
def test_evidence_that_it_left_settles_a_message_in_doubt(
    state: MessageStatus, word: str, after: MessageStatus
) -> None:
    """Queued is among them: it may wait for its second try, by policy, when the proof of the first comes in."""
    assert next_status(state, word) is after


def test_the_failure_of_an_earlier_try_does_not_end_a_message_that_waits_for_the_next() -> None:
    assert next_status(S.QUEUED, "failed") is None
    assert next_status(S.HELD, "failed") is None
