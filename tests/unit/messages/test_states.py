"""The one table of moves: complete, forward only, with ends that nothing leaves."""

from itertools import product

import pytest

from services.messages import ACTIVE, MOVES, MessageStatus, may_move

S = MessageStatus
PROGRESS = [S.SENT, S.DELIVERED, S.READ]


def reachable(start: MessageStatus) -> set[MessageStatus]:
    found: set[MessageStatus] = set()
    left = [start]
    while left:
        for after in MOVES[left.pop()] - found:
            found.add(after)
            left.append(after)
    return found


def test_every_state_has_a_row() -> None:
    assert set(MOVES) == set(MessageStatus)


@pytest.mark.parametrize("after", [*S])
def test_nothing_leaves_what_was_read_canceled_or_received(after: MessageStatus) -> None:
    assert not may_move(S.READ, after)
    assert not may_move(S.CANCELED, after)
    assert not may_move(S.RECEIVED, after)


@pytest.mark.parametrize(("before", "after"), [pair for pair in product(PROGRESS, PROGRESS)])
def test_what_whatsapp_has_only_goes_forward(before: MessageStatus, after: MessageStatus) -> None:
    assert may_move(before, after) == (PROGRESS.index(after) > PROGRESS.index(before))


@pytest.mark.parametrize("before", PROGRESS)
@pytest.mark.parametrize("after", sorted(ACTIVE - {S.HELD} | {S.CANCELED, S.EXPIRED}))
def test_what_whatsapp_has_is_neither_sent_again_nor_called_back(before: MessageStatus, after: MessageStatus) -> None:
    assert not may_move(before, after)


def test_a_received_message_is_a_thing_apart() -> None:
    assert all(S.RECEIVED not in moves for moves in MOVES.values())


def test_what_is_on_its_way_cannot_be_canceled() -> None:
    assert not may_move(S.SENDING, S.CANCELED)


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_whatever_is_active_can_still_be_sent_and_can_still_end(state: MessageStatus) -> None:
    assert {S.SENT, S.FAILED, S.EXPIRED} <= reachable(state) | {state}


@pytest.mark.parametrize("state", sorted(set(S) - ACTIVE - {S.SENT, S.DELIVERED}))
def test_what_is_settled_changes_by_evidence_or_by_a_person_alone(state: MessageStatus) -> None:
    assert MOVES[state] <= {S.QUEUED, S.DELIVERED, S.READ}
