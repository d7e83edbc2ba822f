"""The id that drop-in clients know a message by."""

import base64

from config.ids import new_id
from services.messages.wamids import client_wamid, message_id_of


def test_a_client_wamid_leads_back_to_its_message() -> None:
    message_id = new_id("msg")
    wamid = client_wamid(message_id)
    assert wamid.startswith("wamid.")
    assert message_id_of(wamid) == message_id


def test_it_has_no_character_that_a_url_would_change() -> None:
    assert all(client_wamid(new_id("msg"))[6:].isalnum() for _ in range(200))


def test_our_own_id_names_the_message_too() -> None:
    message_id = new_id("msg")
    assert message_id_of(message_id) == message_id


def test_whatsapps_own_wamids_are_not_taken_for_ours() -> None:
    real = "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA"
    assert message_id_of(real) is None
    for other in ("", "wamid.", "wamid.!!!", "wamid.bXNn", "wamid." + base64.b64encode(b"\xff\xfe").decode(), "msg_1"):
        assert message_id_of(other) is None
    assert message_id_of(client_wamid(new_id("evt"))) is None
