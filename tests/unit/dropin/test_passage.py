"""What goes to Meta as it came, and what must not come back."""

from services.dropin.passage import _turned

BASE = "http://panal.example/v23.0"
LINK = "https://graph.facebook.com/v23.0/102290129340398/message_templates?limit=1&after=MQ%3D%3D"


def test_a_link_of_paging_leads_to_us() -> None:
    assert _turned(LINK, BASE, access_token=None) == (
        "http://panal.example/v23.0/102290129340398/message_templates?limit=1&after=MQ%3D%3D"
    )


def test_our_token_and_its_proof_stay_here() -> None:
    turned = _turned(f"{LINK}&access_token=EAAG-secret&appsecret_proof=abc", BASE, access_token=None)
    assert "secret" not in turned
    assert "appsecret_proof" not in turned


def test_a_caller_who_put_his_key_into_the_query_finds_it_there_again() -> None:
    turned = _turned(f"{LINK}&access_token=EAAG-secret", BASE, access_token="panal_key")
    assert turned.endswith("&access_token=panal_key")
    assert "EAAG" not in turned
