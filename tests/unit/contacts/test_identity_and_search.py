import pytest

from config.errors import RequestRefused
from services.contacts import Identity, identity_of, identity_of_key, parse_identity
from services.contacts.search import MAX_TOKENS, query_of, tokens_of
from services.messages import parse_content


@pytest.mark.parametrize("to", ["15550000001", "+1 (555) 000-0001", "US.13491208655302741918", "ES.ENT.abc1"])
def test_a_contact_has_the_key_that_its_messages_have(to: str) -> None:
    content = parse_content({"to": to, "type": "text", "text": {"body": "x"}})
    kind = "wa" if content.recipient_kind == "wa_id" else "user"
    identity = identity_of(to)
    assert identity is not None
    assert identity.key == f"{kind}:{content.to}"
    assert identity_of_key(identity.key) == identity


@pytest.mark.parametrize("to", ["", "abc", "123", "1" * 16, None, 5.5, True, {"$ne": ""}])
def test_what_is_no_address_is_refused(to: object) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_identity(to)
    assert refused.value.faults[0].path == "to"


def test_a_person_with_both_has_two_keys_and_the_number_is_the_first() -> None:
    both = Identity("15550000001", "US.1")
    assert both.key == "wa:15550000001"
    assert both.keys == ("wa:15550000001", "user:US.1")


def test_words_are_found_without_accents_and_case() -> None:
    assert tokens_of(["María-José PÉREZ", None, "@mjp"], wa_id="1555") == ["1555", "maria", "jose", "perez", "mjp"]
    (condition,) = query_of("  Marí ")
    assert condition["tokens"]["$elemMatch"] == {"$gte": "mari", "$lt": "mari\uffff"}


def test_a_name_of_a_thousand_words_stays_bounded_and_nothing_typed_matches_all() -> None:
    assert len(tokens_of([" ".join(f"w{at}" for at in range(1000))], wa_id=None)) == MAX_TOKENS
    assert query_of(" ¡! ") == []
