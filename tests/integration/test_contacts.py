"""Contacts and opt-outs on a real cluster: a customer who said STOP gets nothing more, by any path."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.sandbox.wire.ids import user_id_of
from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("contacts"), workers=2) as running:
        yield running


def call(cluster: Cluster, method: str, path: str, *, expect: int = 200, **options: Any) -> Any:
    answer = cluster.client.request(method, path, **options)
    assert answer.status_code == expect, answer.text
    return answer.json()


def contact_of(cluster: Cluster, wa_id: str) -> dict[str, Any]:
    """The contact with this number, once there is one."""

    def look() -> Any:
        found = call(cluster, "GET", "/v1/contacts", params={"search": wa_id})["data"]
        return found[0] if found else None

    found: dict[str, Any] = until(look, f"{wa_id} is a contact")
    return found


def events_of(cluster: Cluster, contact_id: str) -> list[dict[str, Any]]:
    return [event for event in cluster.events() if event["data"].get("contact_id") == contact_id]


def test_a_customer_who_writes_becomes_a_contact_and_is_found_by_words_and_number(cluster: Cluster) -> None:
    phone = "15550100001"
    cluster.sandbox.put(f"/_sandbox/phones/{phone}", json={"name": "Zoë Núñez"})
    cluster.write_as_customer(phone, "hello")
    contact = contact_of(cluster, phone)
    assert contact["profile_name"] == "Zoë Núñez"
    assert contact["phone_number_ids"] == [NUMBER]
    for search in ("nunez", "zo", "zoe nu", phone[:8]):
        found = call(cluster, "GET", "/v1/contacts", params={"search": search})["data"]
        assert contact["id"] in [one["id"] for one in found], search
    assert call(cluster, "GET", "/v1/contacts", params={"search": "zoe x"})["data"] == []


def test_a_contact_is_made_changed_and_read_back_at_once(cluster: Cluster) -> None:
    made = call(
        cluster,
        "POST",
        "/v1/contacts",
        expect=201,
        json={"to": "+1 555 010 0002", "name": "Ana", "labels": ["vip"], "attributes": {"city": "León", "age": 7}},
    )
    path = f"/v1/contacts/{made['id']}"
    changed = call(
        cluster,
        "PATCH",
        path,
        json={"attributes": {"age": None, "plan": "gold"}, "add_labels": ["new"], "name": "Ana M."},
    )
    assert call(cluster, "GET", path) == {**changed, "consent_history": []}
    assert changed["attributes"] == {"city": "León", "plan": "gold"}
    assert changed["labels"] == ["vip", "new"]
    assert changed["name"] == "Ana M."
    again = call(cluster, "POST", "/v1/contacts", json={"to": "15550100002", "labels": ["old"]})
    assert (again["id"], again["labels"]) == (made["id"], ["old"])
    assert [event["type"] for event in events_of(cluster, made["id"])] == [
        "contact.created",
        "contact.updated",
        "contact.updated",
    ]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"to": "abc"}, "to"),
        ({"to": "15550100003", "labels": "vip"}, "labels"),
        ({"to": "15550100003", "attributes": {"$where": "1"}}, "attributes.$where"),
        ({"to": "15550100003", "attributes": {"a": {"$gt": ""}}}, "attributes.a"),
        ({"to": "15550100003", "wa_id": "1"}, "wa_id"),
    ],
)
def test_a_faulty_contact_is_refused_with_its_path(cluster: Cluster, body: dict[str, Any], path: str) -> None:
    problem = call(cluster, "POST", "/v1/contacts", expect=422, json=body)
    assert path in [error["path"] for error in problem["errors"]]


def test_whoever_says_stop_gets_nothing_more_until_start(cluster: Cluster) -> None:
    phone = "15550100004"
    cluster.write_as_customer(phone, "hello")
    contact = contact_of(cluster, phone)
    first = cluster.send(phone, "welcome")
    until(lambda: cluster.message(first["id"])["status"] == "read", "the welcome is read")
    wamid = cluster.write_as_customer(phone, "¡Stop!")
    path = f"/v1/contacts/{contact['id']}"
    until(lambda: call(cluster, "GET", path)["opted_out"] == "all", "the opt-out is stored")
    (entry,) = call(cluster, "GET", path)["consent_history"]
    assert (entry["status"], entry["source"], entry["proof"]["text"], entry["proof"]["message_id"]) == (
        "out",
        "keyword",
        "¡Stop!",
        wamid,
    )
    # One by one, in a batch, in the Cloud API.
    text = {"to": phone, "type": "text", "text": {"body": "too much"}}
    accepted = []

    def is_refused() -> bool:  # a worker remembers for a few seconds that nobody had opted out
        answer = cluster.client.post("/v1/messages", json=text)
        if answer.status_code == 202:
            accepted.append(answer.json()["id"])
            return False
        return bool(answer.json()["code"] == "opted_out")

    until(is_refused, "workers know of the opt-out", every_s=0.5)
    batch = cluster.client.post("/v1/messages/batch", json={"messages": [text]})
    assert batch.status_code == 422
    cluster.client.post(f"/v23.0/{NUMBER}/messages", json={"messaging_product": "whatsapp", **text})
    for message_id in accepted:
        until(lambda one=message_id: cluster.message(one)["status"] == "failed", "what slipped in fails at the gate")
    assert [entry["text"]["body"] for entry in cluster.phone(phone) if entry["direction"] == "in"] == ["welcome"]
    cluster.write_as_customer(phone, "start")
    until(lambda: call(cluster, "GET", path)["opted_out"] is None, "the opt-out is undone")

    def is_accepted() -> bool:  # a worker remembers an opt-out for a few seconds
        return cluster.client.post("/v1/messages", json={**text, "text": {"body": "back"}}).status_code == 202

    until(is_accepted, "messages are accepted again")
    until(lambda: cluster.phone(phone)[-1].get("text", {}).get("body") == "back", "the message arrives")


def test_a_message_that_was_accepted_before_the_stop_fails_at_the_gate(cluster: Cluster) -> None:
    phone = "15550100005"
    cluster.write_as_customer(phone, "hello")
    contact = contact_of(cluster, phone)
    later = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
    sent = cluster.send(phone, "late", send_at=later)
    call(cluster, "POST", f"/v1/contacts/{contact['id']}/opt-out", json={"source": "phone call"})
    until(lambda: cluster.message(sent["id"])["status"] == "failed", "the message fails")
    error = cluster.message(sent["id"])["error"]
    assert (error["reason"], error["code"]) == ("opted_out", 131050)
    assert error["next_step"]
    assert [entry for entry in cluster.phone(phone) if entry["direction"] == "in"] == []


def test_somebody_never_seen_opts_out_by_address_and_in_again_with_proof(cluster: Cluster) -> None:
    out = call(
        cluster,
        "POST",
        "/v1/contacts/opt-out",
        json={"to": "15550100006", "category": "marketing", "source": "web form", "proof": {"ip": "192.0.2.1"}},
    )
    assert (out["opted_out"], out["consent"]["marketing"]["proof"]) == ("marketing", {"ip": "192.0.2.1"})
    template = {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}
    bulk = {"to": "15550100006", "priority": "bulk", **template}
    assert call(cluster, "POST", "/v1/messages", expect=422, json=bulk)["code"] == "opted_out"
    call(cluster, "POST", "/v1/messages", expect=202, json={"to": "15550100006", **template})
    back = call(
        cluster, "POST", f"/v1/contacts/{out['id']}/opt-in", json={"category": "all", "proof": "signed paper 12"}
    )
    assert back["opted_out"] is None
    assert back["consent"]["marketing"]["proof"] == {"text": "signed paper 12"}
    # The status of the template names the person's user id, too: that is an event of its own, at any time.
    types = [event["type"] for event in events_of(cluster, out["id"]) if event["type"] != "contact.updated"]
    assert types == ["contact.created", "contact.opted_out", "contact.opted_in"]


def test_csv_goes_in_with_its_faults_told_and_comes_out_with_consent(cluster: Cluster) -> None:
    lines = ["to;name;labels;city;opt_out"]
    lines += [
        f'1555020{at:04d};"Name {at}; x";import|n{at % 3};Town;{"marketing" if at % 50 == 0 else ""}'
        for at in range(450)
    ]
    lines += ["abc;x;;;", "1;2;3;4;5;6", '15550209999;"Last";import;;']
    body = "\n".join(lines).encode()
    headers = {"content-type": "text/csv"}
    report = call(cluster, "POST", "/v1/contacts/import", content=body, headers=headers)
    assert (report["lines"], report["created"], report["failed"], report["consents"]) == (453, 451, 2, 9)
    assert [error["line"] for error in report["errors"]] == [452, 453]
    again = call(cluster, "POST", "/v1/contacts/import", content=iter([body[:999], body[999:]]), headers=headers)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 451)
    text = cluster.client.get("/v1/contacts/export", params={"label": "import"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 451
    assert [row["wa_id"] for row in rows[:2]] == ["15550200000", "15550200001"]
    assert rows[0]["opted_out"] == "marketing"
    assert json.loads(rows[0]["marketing_proof"])["line"] == 2
    assert len(cluster.all_pages("/v1/contacts", label="n1")) == 150
    assert len(cluster.all_pages("/v1/contacts", opted_out="marketing", label="import")) == 9
    imported = [event for event in cluster.events() if event["type"] == "contact.imported"]
    assert sum(event["data"]["count"] for event in imported) == 451


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{}", {"content-type": "application/json"}, 415, "unsupported_media_type"),
        (b"", {"content-type": "text/csv"}, 422, "invalid_csv"),
        (b"to,first name\n1,2\n", {"content-type": "text/csv"}, 422, "invalid_csv"),
        (b'to\n"open\n', {"content-type": "text/csv"}, 422, "invalid_csv"),
        (b"to\n\xff\n", {"content-type": "text/csv"}, 422, "invalid_csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    cluster: Cluster, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    problem = call(cluster, "POST", "/v1/contacts/import", expect=status, content=content, headers=headers)
    assert problem["code"] == code


def test_consents_hold_through_the_death_of_the_owner(cluster: Cluster) -> None:
    phone = "15550100007"
    call(cluster, "POST", "/v1/contacts/opt-out", json={"to": phone})
    cluster.kill(cluster.pid("Sanic-WhatsApp-0"))
    cluster.wait_ready()
    cluster.write_as_customer(phone, "who is this?")
    contact = contact_of(cluster, phone)
    assert contact["opted_out"] == "all"
    text = {"to": phone, "type": "text", "text": {"body": "no"}}

    def is_refused() -> bool:
        return bool(cluster.client.post("/v1/messages", json=text).json().get("code") == "opted_out")

    until(is_refused, "workers know of the opt-out", every_s=0.5)
    assert not [entry for entry in cluster.phone(phone) if entry["direction"] == "in"]


def test_the_size_of_the_database_is_shown(cluster: Cluster) -> None:
    storage = until(lambda: call(cluster, "GET", "/v1/cluster")["storage"], "the database is measured", within_s=30)
    assert storage["limit_mb"] == 512
    assert storage["level"] == "ok"
    assert storage["used_mb"] >= 0
    assert "events" in {one["name"] for one in storage["collections"]}


def conversation_of(cluster: Cluster, message_id: str) -> str:
    found: str = until(lambda: cluster.message(message_id).get("conversation_id"), "it is in a conversation")
    return found


HELLO = {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}


def send_template(cluster: Cluster, **to: str) -> str:
    sent: str = call(cluster, "POST", "/v1/messages", expect=202, json={**to, **HELLO})["id"]
    return sent


def test_a_person_written_to_by_number_and_by_user_id_has_one_conversation(cluster: Cluster) -> None:
    """Nothing tells before the first status that both are one: two conversations begin, and become one."""
    phone, pressed = "15550100021", "15550100022"
    cluster.write_as_customer(pressed, "who are you?")
    user_id = contact_of(cluster, pressed)["user_id"]
    known = [send_template(cluster, recipient=user_id), send_template(cluster, to=pressed)]
    assert len({conversation_of(cluster, message) for message in known}) == 1

    stranger = user_id_of(phone)
    both = [{"to": phone, **HELLO}, {"recipient": stranger, **HELLO}] * 3
    answers = call(cluster, "POST", "/v1/messages/batch", expect=202, json={"messages": both})["data"]
    sent = [answer["id"] for answer in answers]

    def is_one() -> bool:
        messages = [cluster.message(message_id) for message_id in sent]
        is_done = all(message["status"] in ("delivered", "read") for message in messages)
        return is_done and len({message["conversation_id"] for message in messages}) == 1

    until(is_one, "one conversation has all of them")
    conversation = conversation_of(cluster, sent[0])
    merged = [event["data"] for event in cluster.events() if event["type"] == "conversation.merged"]
    merged = [data for data in merged if data["conversation_id"] == conversation]
    thread = call(cluster, "GET", f"/v1/conversations/{conversation}/messages")["data"]
    assert {message["id"] for message in thread} == set(sent)
    for data in merged:
        assert call(cluster, "GET", f"/v1/conversations/{data['merged_id']}")["id"] == conversation
    received = [entry for entry in cluster.phone(phone) if entry["direction"] == "in"]
    assert len(received) == len(sent)
    for address in ({"wa_id": phone}, {"wa_id": f"+{phone}"}, {"user_id": stranger}):
        assert [one["id"] for one in cluster.all_pages("/v1/conversations", **address)] == [conversation]
    assert cluster.all_pages("/v1/conversations", wa_id=phone, status="closed") == []
    assert cluster.all_pages("/v1/conversations", wa_id=phone, user_id="US.of.somebody.else") == []


def test_an_opt_out_holds_through_every_address_of_a_person(cluster: Cluster) -> None:
    phone = "15550100023"
    user_id = user_id_of(phone)
    first = send_template(cluster, to=phone)
    until(lambda: cluster.message(first)["status"] in ("delivered", "read"), "a status tells both addresses")
    until(
        lambda: any(
            event["type"] == "conversation.linked" and f"user:{user_id}" in event["data"]["contact_keys"]
            for event in cluster.events()
        ),
        "both are known to be one",
    )
    out = call(cluster, "POST", "/v1/contacts/opt-out", json={"to": phone})
    assert (out["wa_id"], out["user_id"]) == (phone, user_id)
    later = {"type": "text", "text": {"body": "no"}}

    def is_refused(**to: str) -> bool:
        return bool(cluster.client.post("/v1/messages", json={**to, **later}).json().get("code") == "opted_out")

    until(lambda: is_refused(recipient=user_id), "the user id is refused", every_s=0.5)
    cluster.kill(cluster.pid("Sanic-WhatsApp-0"))
    cluster.wait_ready()
    until(lambda: is_refused(to=phone) and is_refused(recipient=user_id), "both are refused", every_s=0.5)


def test_a_customer_who_changes_their_number_keeps_conversation_contact_and_window(cluster: Cluster) -> None:
    old, new = "15550100024", "15550100025"
    cluster.write_as_customer(old, "hello from the old number")
    contact = contact_of(cluster, old)
    before = call(cluster, "GET", "/v1/conversations", params={"wa_id": old})["data"][0]
    system = {"type": "user_changed_number", "wa_id": new, "body": f"User changed from {old} to {new}"}
    answer = cluster.sandbox.post(f"/_sandbox/phones/{old}/messages", json={"type": "system", "system": system})
    assert answer.status_code == 200
    moved = until(lambda: _at(cluster, contact["id"], new), "the contact has moved")
    assert {f"wa:{old}", f"wa:{new}"} <= set(moved["addresses"])
    sent = cluster.send(new, "welcome to the new number")  # the window that the old number opened holds
    assert conversation_of(cluster, sent["id"]) == before["id"]
    cluster.write_as_customer(new, "hello from the new number")
    until(
        lambda: call(cluster, "GET", f"/v1/conversations/{before['id']}")["contact"]["wa_id"] == new,
        "the conversation has the new number",
    )
    bodies = {
        message.get("text", {}).get("body")
        for message in call(cluster, "GET", f"/v1/conversations/{before['id']}/messages")["data"]
    }
    assert {"hello from the old number", "welcome to the new number"} <= bodies
    call(cluster, "POST", f"/v1/contacts/{contact['id']}/opt-out", json={})
    text = {"type": "text", "text": {"body": "no"}}

    def is_refused(to: str) -> bool:
        return bool(cluster.client.post("/v1/messages", json={"to": to, **text}).json().get("code") == "opted_out")

    until(lambda: is_refused(old) and is_refused(new), "both numbers are refused", every_s=0.5)


def _at(cluster: Cluster, contact_id: str, wa_id: str) -> dict[str, Any] | None:
    contact: dict[str, Any] = call(cluster, "GET", f"/v1/contacts/{contact_id}")
    return contact if contact["wa_id"] == wa_id else None


def test_a_number_that_whatsapp_writes_in_another_way_is_the_same_person(cluster: Cluster) -> None:
    """Mexico and Brazil: written to with one digit more, known without it."""
    owner, written = "525550100031", "5215550100031"
    cluster.sandbox.put(f"/_sandbox/phones/{owner}", json={"aliases": [written]})
    conversation = conversation_of(cluster, send_template(cluster, to=written))
    linked = until(
        lambda: next((one for one in cluster.events() if _names(one, conversation, f"wa:{owner}")), None),
        "a status tells how WhatsApp writes the number",
    )
    assert f"wa:{written}" in linked["data"]["contact_keys"]
    cluster.write_as_customer(owner, "it is me")
    contact_of(cluster, owner)
    bodies = [
        one.get("text", {}).get("body") for one in cluster.all_pages(f"/v1/conversations/{conversation}/messages")
    ]
    assert "it is me" in bodies
    assert cluster.client.post("/v1/messages", json={"to": written, "text": {"body": "open"}}).status_code == 202


def _names(event: dict[str, Any], conversation: str, key: str) -> bool:
    data = event["data"]
    is_link = event["type"] in ("conversation.linked", "conversation.merged")
    return is_link and data["conversation_id"] == conversation and key in data["contact_keys"]
