"""The body that the cloud link puts on the wire, and numbers without a usable token."""

from typing import Any

import aiohttp
import pytest

from services.graph import ErrorClass, GraphClient, GraphUnreachable
from services.links import CloudLink, LinkKind, LinkState, NotSubmitted, OutgoingMessage, SendRefused, wire_body

ID = "msg_01JB4C7K8Q0000000000000000"
TEXT = {"type": "text", "text": {"body": "hola"}}


def order(**changes: Any) -> OutgoingMessage:
    facts: dict[str, Any] = {
        "id": ID,
        "phone_number_id": "106540352242922",
        "to": "16505551234",
        "recipient_kind": "wa_id",
        "payload": TEXT,
    }
    return OutgoingMessage(**{**facts, **changes})


COMMON = {"messaging_product": "whatsapp", "biz_opaque_callback_data": f"panal:{ID}", **TEXT}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"recipient_type": "individual", "to": "16505551234"}),
        (
            {"to": "US.13491208655302741918", "recipient_kind": "user_id"},
            {"recipient_type": "individual", "recipient": "US.13491208655302741918"},
        ),
        ({"to": "Y2FwaV9ncm91cDox", "recipient_kind": "group"}, {"recipient_type": "group", "to": "Y2FwaV9ncm91cDox"}),
        (
            {"context_wamid": "wamid.Q", "callback_data": "order|7"},
            {
                "recipient_type": "individual",
                "to": "16505551234",
                "context": {"message_id": "wamid.Q"},
                "biz_opaque_callback_data": f"panal:{ID}|order|7",
            },
        ),
    ],
)
def test_the_wire_body_names_the_recipient_and_carries_our_id(
    changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert wire_body(order(**changes)) == {**COMMON, **expected}


def test_the_stored_payload_is_not_changed() -> None:
    payload = dict(TEXT)
    wire_body(order(payload=payload))
    assert payload == TEXT


@pytest.mark.parametrize("token", [None, "", "with\r\nnewline", "ñandú"])
async def test_a_number_without_a_usable_token_waits_for_the_operator_and_nothing_is_sent(token: str | None) -> None:
    async with aiohttp.ClientSession() as session:
        graph = GraphClient(session, base_url="http://127.0.0.1:9", version="v23.0", timeout_s=1)
        link = CloudLink(graph, lambda _: token, kind=LinkKind.SANDBOX)
        with pytest.raises(SendRefused) as caught:
            await link.send(order())
    assert caught.value.rule.klass is ErrorClass.AUTH
    assert "106540352242922" in (caught.value.details or "")
    assert (link.kind, link.state) == (LinkKind.SANDBOX, LinkState.REFUSED)


class Edges:
    """A Graph API that only says where messages came."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def call(self, method: str, path: str, **_: Any) -> Any:
        self.asked.append((method, path))
        raise GraphUnreachable(detail="nobody is here")

    send_message = GraphClient.send_message


async def test_a_marketing_message_goes_to_its_own_edge_whole() -> None:
    graph = Edges()
    link = CloudLink(graph, lambda _: "token")  # type: ignore[arg-type]  # the two methods that a send needs
    payload = {"type": "template", "template": {}, "product_policy": "STRICT", "message_activity_sharing": True}
    for one in (payload, TEXT):
        with pytest.raises(NotSubmitted):
            await link.send(order(payload=one))
    assert [path for _, path in graph.asked] == ["106540352242922/marketing_messages", "106540352242922/messages"]
    assert payload.items() <= wire_body(order(payload=payload)).items()


async def test_a_message_that_cannot_be_written_fails_alone_and_the_link_is_well() -> None:
    async with aiohttp.ClientSession() as session:
        graph = GraphClient(session, base_url="http://127.0.0.1:9", version="v23.0", timeout_s=1)
        link = CloudLink(graph, lambda _: "token", kind=LinkKind.SANDBOX)
        with pytest.raises(SendRefused) as caught:
            await link.send(order(payload={"type": "text", "text": {"body": "\ud800"}}))
    assert (caught.value.rule.klass, caught.value.may_retry) == (ErrorClass.FAIL, False)
    assert link.state is LinkState.STARTING


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:99999", "http://[", "http://a..b"])
async def test_an_address_that_is_none_lets_the_message_wait(base_url: str) -> None:
    async with aiohttp.ClientSession() as session:
        graph = GraphClient(session, base_url=base_url, version="v23.0", timeout_s=1)
        link = CloudLink(graph, lambda _: "token", kind=LinkKind.SANDBOX)
        with pytest.raises(NotSubmitted):
            await link.send(order())
    assert link.state is LinkState.UNREACHABLE
