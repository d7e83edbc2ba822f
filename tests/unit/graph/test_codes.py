"""The error table: each code ends where Meta's documentation says, and what no table knows is still judged."""

import pytest

from services.graph import CodeRule, ErrorClass, HoldScope, classify
from services.graph.code_table import BY_CODE, RANGES, RULES
from services.sandbox.wire.codes import CODES

RETRY, HOLD, AUTH, FAIL = ErrorClass.RETRY, ErrorClass.HOLD, ErrorClass.AUTH, ErrorClass.FAIL
MESSAGE, PAIR, NUMBER, ACCOUNT = HoldScope.MESSAGE, HoldScope.PAIR, HoldScope.NUMBER, HoldScope.ACCOUNT


@pytest.mark.parametrize(
    ("code", "subcode", "http_status", "klass", "scope"),
    [
        (0, None, 401, AUTH, ACCOUNT),
        (1, None, 400, RETRY, MESSAGE),
        (2, None, 503, RETRY, ACCOUNT),
        (3, None, 500, AUTH, ACCOUNT),
        (4, None, 400, RETRY, ACCOUNT),
        (10, None, 403, AUTH, ACCOUNT),
        (33, None, 400, FAIL, MESSAGE),
        (100, None, 400, FAIL, MESSAGE),
        (100, 33, 400, AUTH, NUMBER),
        (100, 2388040, 400, FAIL, MESSAGE),
        (100, 999, 400, FAIL, MESSAGE),
        (104, None, 401, AUTH, ACCOUNT),
        (190, None, 401, AUTH, ACCOUNT),
        (190, 463, 401, AUTH, ACCOUNT),
        (200, None, 403, AUTH, ACCOUNT),
        (299, None, 403, AUTH, ACCOUNT),
        (368, None, 403, HOLD, ACCOUNT),
        (613, None, 400, RETRY, ACCOUNT),
        (80007, None, 400, RETRY, ACCOUNT),
        (130403, None, 400, FAIL, MESSAGE),
        (130429, None, 400, RETRY, NUMBER),
        (130472, None, 400, FAIL, MESSAGE),
        (130497, None, 403, FAIL, MESSAGE),
        (131000, None, 500, RETRY, MESSAGE),
        (131005, None, 403, AUTH, ACCOUNT),
        (131008, None, 400, FAIL, MESSAGE),
        (131009, None, 400, FAIL, MESSAGE),
        (131016, None, 500, RETRY, NUMBER),
        (131021, None, 400, FAIL, MESSAGE),
        (131026, None, 400, FAIL, MESSAGE),
        (131030, None, 400, FAIL, MESSAGE),
        (131031, None, 403, HOLD, ACCOUNT),
        (131037, None, 400, HOLD, NUMBER),
        (131042, None, 400, HOLD, ACCOUNT),
        (131045, None, 500, AUTH, NUMBER),
        (131047, None, 400, FAIL, MESSAGE),
        (131048, None, 400, HOLD, NUMBER),
        (131049, None, 400, HOLD, MESSAGE),
        (131050, None, 400, FAIL, MESSAGE),
        (131051, None, 400, FAIL, MESSAGE),
        (131052, None, 400, FAIL, MESSAGE),
        (131053, None, 400, FAIL, MESSAGE),
        (131056, None, 400, RETRY, PAIR),
        (131057, None, 500, RETRY, NUMBER),
        (131064, None, 400, HOLD, ACCOUNT),
        (132000, None, 400, FAIL, MESSAGE),
        (132001, None, 404, FAIL, MESSAGE),
        (132012, None, 400, FAIL, MESSAGE),
        (132015, None, 400, HOLD, MESSAGE),
        (132016, None, 400, FAIL, MESSAGE),
        (132069, None, 400, HOLD, MESSAGE),
        (133004, None, 503, RETRY, NUMBER),
        (133010, None, 400, AUTH, NUMBER),
        (133016, None, 400, HOLD, NUMBER),
        (134101, None, 400, RETRY, MESSAGE),
        (135000, None, 400, FAIL, MESSAGE),
        (138013, None, 400, FAIL, MESSAGE),
        (147003, None, 400, FAIL, MESSAGE),
    ],
)
def test_a_code_has_its_class_scope_and_http_status(
    code: int, subcode: int | None, http_status: int, klass: ErrorClass, scope: HoldScope
) -> None:
    rule = classify(code, subcode)
    assert (rule.code, rule.http_status, rule.klass, rule.scope) == (code, http_status, klass, scope)


def test_no_code_stands_twice_in_the_table_and_each_row_says_what_to_do() -> None:
    assert len(BY_CODE) == len(RULES)
    for rule in (*RULES, *(rule for _, rule in RANGES)):
        assert rule.title
        assert rule.next_step
        assert (rule.wait_s() == 0) == (rule.klass is FAIL), rule
        assert rule.hold_s <= rule.hold_max_s or rule.klass is FAIL, rule


def test_families_do_not_hide_a_row_of_the_table() -> None:
    assert not [rule for rule in RULES for codes, _ in RANGES if rule.code in codes]


@pytest.mark.parametrize(("tries", "wait_s"), [(0, 1), (1, 4), (2, 16), (3, 64), (5, 1024), (6, 3600), (10_000, 3600)])
def test_the_pair_limit_waits_four_to_the_power_of_the_tries_up_to_an_hour(tries: int, wait_s: float) -> None:
    assert classify(131056).wait_s(tries) == wait_s


def test_the_word_of_the_platform_is_the_least_wait() -> None:
    rule = classify(130429)
    assert rule.wait_s(0, retry_after_s=42.0) == 42.0
    assert rule.wait_s(8, retry_after_s=0.5) == 256.0
    assert classify(131026).wait_s(3, retry_after_s=42.0) == 0.0


@pytest.mark.parametrize(
    "details",
    [
        "Downloading media from weblink failed with http code 429, status message Too Many Requests",
        "Downloading media from weblink failed with http code 503, status message Service Unavailable",
    ],
)
def test_a_media_link_whose_server_asks_for_patience_may_be_tried_again(details: str) -> None:
    rule = classify(131053, details=details)
    assert rule.klass is RETRY
    assert rule.wait_s() > 0


@pytest.mark.parametrize(
    "details",
    [
        None,
        "Downloading media from weblink failed with http code 404, status message Not Found",
        "Video file has size 63787247 bytes but must be atmost 16777216 bytes and non-empty",
    ],
)
def test_any_other_trouble_with_media_is_final(details: str | None) -> None:
    assert classify(131053, details=details).klass is FAIL


@pytest.mark.parametrize(
    ("code", "http_status", "klass"),
    [
        (999999, 400, FAIL),
        (999999, None, FAIL),
        (999999, 429, RETRY),
        (999999, 500, RETRY),
        (999999, 401, AUTH),
        (None, 429, RETRY),
        (None, 408, RETRY),
        (None, 502, RETRY),
        (None, 413, FAIL),
        (None, 404, AUTH),
        (None, 302, AUTH),
        (None, None, FAIL),
    ],
)
def test_what_no_table_knows_is_judged_by_its_http_status(
    code: int | None, http_status: int | None, klass: ErrorClass
) -> None:
    rule: CodeRule = classify(code, None, http_status)
    assert rule.klass is klass
    assert rule.code == code
    assert (rule.wait_s() == 0) == (klass is FAIL)


@pytest.mark.parametrize("code", sorted(CODES))
def test_the_emulator_answers_as_the_table_says(code: int) -> None:
    rule, row = classify(code), CODES[code]
    assert (row.http, row.is_late) == (rule.http_status, rule.is_async)


def test_which_codes_are_told_late() -> None:
    """Source: the error table of the Cloud API, column of captured statuses."""
    late = {rule.code for rule in RULES if rule.is_async}
    assert late == {130403, 130472, 131026, 131042, 131047, 131048, 131049, 131050, 131053}
