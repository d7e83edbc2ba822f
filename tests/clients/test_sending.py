"""Each published client sends every kind it has, through Panal and to the sandbox alone: the phone received it."""

from pathlib import Path

import pytest

from tests.clients.expectations import CALLS, KINDS_OF_CLIENT, SENT
from tests.clients.sides import CLIENTS, Side, run_client
from tests.clients.table import TABLE
from tests.harness.waiting import until

pytestmark = pytest.mark.clients

FIRST_PHONE = 16505551000


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("path", ["sandbox", "panal"])
def test_a_client_sends_every_kind_it_has(
    path: str, client: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    side: Side = request.getfixturevalue(f"{path}_side")
    phone = str(FIRST_PHONE + CLIENTS.index(client))
    inbound = side.open_window(phone)
    person = f"US.{phone}"  # somebody whose number the business does not learn
    side.open_window(person)
    # Blocking takes effect at once, and what was accepted before it may still wait: so it is somebody else.
    bystander = str(FIRST_PHONE + 100 + CLIENTS.index(client))
    side.open_window(bystander)
    orders = side.orders(tmp_path, to=phone, inbound_wamid=inbound, user_id=person, bystander=bystander)
    steps = {line["kind"]: line for line in run_client(client, orders)}

    failed = {kind: line["error"] for kind, line in steps.items() if not line["ok"]}
    assert not failed, "\n".join(f"{kind}: {error}" for kind, error in failed.items())
    assert steps.keys() == KINDS_OF_CLIENT[client]
    sent = {kind: line["id"] for kind, line in steps.items() if kind in SENT}
    until(
        lambda: set(sent.values()) <= (side.phone(phone) | side.phone(person)).keys(),
        "every message is on the phone",
        context=lambda: side.explained({kind: id_ for kind, id_ in sent.items() if id_ not in side.phone(phone)}),
    )
    shown = side.phone(phone) | side.phone(person)
    for kind, id_ in sent.items():
        assert SENT[kind](shown[id_]), f"{kind}: {shown[id_]}"
        TABLE.note("out", kind, path, client)
    assert shown[sent["reply"]]["context"]["message_id"] == inbound
    assert shown[sent["reaction"]]["reaction"]["message_id"] == shown[sent["text"]]["wamid"]
    for kind in steps.keys() & set(CALLS):
        TABLE.note("out", kind, path, client)
