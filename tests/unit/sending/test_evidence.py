"""When the absence of a status is proof: times in seconds of one clock."""

from services.sending.evidence import DEAF_FACTOR, DeliveryEvidence

WAIT_S = 15.0


def test_silence_is_believed_after_the_wait_where_others_are_heard() -> None:
    evidence = DeliveryEvidence(WAIT_S)
    evidence.inbox_read(110.0, is_empty=False)
    evidence.inbox_read(115.0, is_empty=True)
    assert not evidence.absence_is_proof(100.0, 114.9)
    assert evidence.absence_is_proof(100.0, 115.1)


def test_a_status_may_still_wait_in_the_inbox() -> None:
    evidence = DeliveryEvidence(WAIT_S)
    evidence.inbox_read(110.0, is_empty=True)
    evidence.inbox_read(114.0, is_empty=False)
    assert not evidence.absence_is_proof(100.0, 115.1)  # the inbox was not empty since the wait ended
    evidence.inbox_read(115.2, is_empty=True)
    assert evidence.absence_is_proof(100.0, 115.3)


def test_where_nothing_is_heard_the_way_back_may_be_broken() -> None:
    evidence = DeliveryEvidence(WAIT_S)
    evidence.inbox_read(104.0, is_empty=False)  # early in the wait: it may have broken since
    evidence.inbox_read(159.0, is_empty=True)
    assert not evidence.absence_is_proof(100.0, 100.0 + WAIT_S * DEAF_FACTOR - 0.1)
    assert evidence.absence_is_proof(100.0, 100.0 + WAIT_S * DEAF_FACTOR)
