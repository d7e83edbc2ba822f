"""Rules, phones, pace and the ladder of statuses."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.sandbox.hooks.poster import pause_before
from services.sandbox.options import Options
from services.sandbox.wire.ids import user_id_of
from services.sandbox.world.behaviour import Behaviour
from services.sandbox.world.life import ladder
from services.sandbox.world.phones import Phones
from services.sandbox.world.rate_limits import PAIR_BURST, PAIR_PERIOD_S, RateLimits
from services.sandbox.world.rules import Match, Rule, Rules
from services.sandbox.world.storage import Storage

PHONE = "16505551234"
SEND = "/v23.0/1/messages"


class DeafStorage(Storage):
    """A storage that writes nothing: for rules about memory."""

    def __init__(self) -> None:
        super().__init__(Path())

    def add(self, sql: str, values: object = ()) -> None:
        return

    def rows(self, sql: str, values: object = ()) -> list[object]:
        return []


def made(*rules: dict[str, object]) -> Rules:
    found = Rules(DeafStorage())
    for rule in rules:
        found.add(Rule.model_validate(rule))
    return found


@pytest.mark.parametrize(
    ("when", "fires"),
    [
        ("always", [True] * 6),
        ({"next": 2}, [True, True, False, False, False, False]),
        ({"every": 3}, [False, False, True, False, False, True]),
        ({"probability": 0}, [False] * 6),
        ({"probability": 1}, [True] * 6),
    ],
)
def test_a_rule_fires_as_often_as_it_says(when: object, fires: list[bool]) -> None:
    rules = made({"when": when, "then": {"error": 131000}})
    assert [rules.decide(SEND, PHONE, "text").error is not None for _ in range(6)] == fires


def test_a_rule_counts_only_calls_that_match() -> None:
    rules = made({"match": {"to": "+1 650 555 1234", "type": "image"}, "when": {"next": 1}, "then": {"status": 500}})
    assert rules.decide(SEND, PHONE, "text").http_status is None
    assert rules.decide(SEND, "16505550000", "image").http_status is None
    assert rules.decide(SEND, PHONE, "image").http_status == 500
    assert rules.decide(SEND, PHONE, "image").http_status is None
    assert not Match(path="/media").fits(SEND, None, None)


def test_effects_of_several_rules_add_up_and_the_first_error_wins() -> None:
    rules = made(
        {"then": {"delay_ms": 100, "error": 131016}},
        {"then": {"delay_ms": 50, "error": 1}},
        {"then": {"drop_answer": True, "duplicate_webhooks": 2}},
    )
    verdict = rules.decide(SEND, PHONE, "text")
    assert verdict.error is not None
    assert verdict.error.error == 131016
    assert (verdict.delay_ms, verdict.drop_answer, verdict.extra_copies) == (150, True, 2)


@pytest.mark.parametrize(
    "rule",
    [
        {"then": {}},
        {"then": {"status": 200}},
        {"when": {"next": 1, "every": 2}, "then": {"error": 1}},
        {"when": "always"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: object) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate(rule)


def test_a_phone_behaves_as_its_script_its_magic_number_or_everybody_says() -> None:
    phones = Phones(DeafStorage())
    phones.script("*", {"delay_ms": 5})
    phones.script(PHONE, {"online": False, "aliases": ["16505559999"]})
    assert phones.by_number("16505550000").behaviour.delay_ms == 5
    assert phones.by_number("16505559999").key == PHONE
    assert not phones.by_user_id(user_id_of(PHONE)).behaviour.takes_messages
    assert phones.by_number("19990131047").behaviour.fails == 131047
    phones.script(PHONE, {"hides_number": True})
    assert phones.by_number(PHONE).person.wa_id is None
    assert phones.by_user_id("US.ENT.x1").key == "US.ENT.x1"
    phones.unscript(PHONE)
    assert phones.by_number(PHONE).behaviour.delay_ms == 5


def test_replies_in_a_list_are_used_up_and_a_single_one_is_not() -> None:
    phones = Phones(DeafStorage())
    phones.script(PHONE, {"replies": ["a", {"type": "text", "text": {"body": "b"}}]})
    said = [phones.next_reply(phones.by_number(PHONE)) for _ in range(3)]
    assert [one["text"]["body"] if one else None for one in said] == ["a", "b", None]
    phones.script(PHONE, {"replies": "again"})
    assert all(phones.next_reply(phones.by_number(PHONE)) for _ in range(3))


@pytest.mark.parametrize(
    ("kind", "behaviour", "is_voice", "rungs"),
    [
        ("text", Behaviour(), False, ["delivered", "read"]),
        ("text", Behaviour(reads=False), False, ["delivered"]),
        ("reaction", Behaviour(), False, ["delivered"]),
        ("audio", Behaviour(plays=True), True, ["delivered", "read", "played"]),
        ("audio", Behaviour(), True, ["delivered", "read"]),
    ],
)
def test_the_ladder_of_a_message(kind: str, behaviour: Behaviour, is_voice: bool, rungs: list[str]) -> None:
    assert ladder(kind, behaviour, is_voice=is_voice) == rungs


def test_the_pair_rate_lets_a_burst_pass_and_then_one_in_six_seconds() -> None:
    pace = RateLimits()
    passed = sum(pace.admits("a", 0.0, period_s=PAIR_PERIOD_S, burst=PAIR_BURST) for _ in range(100))
    assert passed == PAIR_BURST
    assert not pace.admits("a", 5.9, period_s=PAIR_PERIOD_S, burst=PAIR_BURST)
    assert pace.admits("a", 6.0, period_s=PAIR_PERIOD_S, burst=PAIR_BURST)
    assert pace.admits("b", 6.0, period_s=PAIR_PERIOD_S, burst=PAIR_BURST)


def test_pauses_double_up_to_their_limit() -> None:
    options = Options()
    assert [pause_before(count, options) for count in (1, 2, 3, 7, 1000)] == [0.5, 1.0, 2.0, 8.0, 8.0]
