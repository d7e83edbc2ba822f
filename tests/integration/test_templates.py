"""Templates on the real command: the catalogue follows the account, messages are checked, changes are events."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

WABA = "102290129340398"
PHONE = "16505557301"
BODY = {"type": "BODY", "text": "Hola {{1}}, tu pedido {{2}} va.", "example": {"body_text": [["Ana", "7"]]}}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("templates"), workers=2) as running:
        until(lambda: running.client.get("/v1/templates").json()["data"], "the account was read")
        yield running


def template(name: str, *parameters: str, language: str = "es") -> dict[str, Any]:
    given = [{"type": "text", "text": text} for text in parameters]
    components = [{"type": "body", "parameters": given}] if given else []
    body = {"name": name, "language": {"code": language}, "components": components}
    return {"messaging_product": "whatsapp", "to": PHONE, "type": "template", "template": body}


def create(cluster: Cluster, name: str) -> str:
    definition = {"name": name, "language": "es", "category": "UTILITY", "components": [BODY]}
    answer = cluster.client.post("/v1/templates", json=definition)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def events_of(cluster: Cluster, template_id: str) -> list[str]:
    return [event["type"] for event in cluster.events() if event["data"].get("template_id") == template_id]


def test_the_seeded_template_is_there_and_can_be_sent(cluster: Cluster) -> None:
    [hello] = cluster.client.get("/v1/templates", params={"name": "hello_world"}).json()["data"]
    assert (hello["language"], hello["status"]) == ("en_US", "APPROVED")
    answer = cluster.client.post("/v1/messages", json=template("hello_world", language="en_US"))
    assert answer.status_code == 202, answer.text
    until(lambda: [one for one in cluster.phone(PHONE) if one["type"] == "template"], "it arrived")
    [conversation] = cluster.client.get("/v1/conversations", params={"wa_id": PHONE}).json()["data"]
    assert conversation["last_message"]["type"] == "template"
    assert conversation["last_message"]["text"].startswith("Welcome and congratulations!!"), "as the recipient reads it"


def test_the_template_for_a_closed_window_is_checked_before_the_message_is_taken(cluster: Cluster) -> None:
    def send(fallback: dict[str, Any]) -> dict[str, Any]:
        body = {"to": "16505557302", "type": "text", "text": {"body": "x"}, "on_window_closed": "template"}
        answer = cluster.client.post("/v1/messages", json={**body, "fallback_template": fallback})
        return {"status": answer.status_code, **answer.json()}

    spanish = {"name": "hello_world", "language": {"code": "es"}}
    for fallback, code in (
        ({"name": "nobody", "language": {"code": "es"}}, 132001),
        (spanish, 132001),
        (template("hello_world", "{{body}}", language="en_US")["template"], 132000),
    ):
        refused = send(fallback)
        assert (refused["status"], refused["graph_code"]) == (422, code), refused
        assert refused["errors"][0]["path"].startswith("fallback_template."), refused
    assert send({"name": "hello_world"})["errors"][0]["path"] == "fallback_template.language"
    assert send({"name": "hello_world", "language": {"code": "en_US"}})["status"] == "queued"
    until(lambda: [one for one in cluster.phone("16505557302") if one["type"] == "template"], "the template went")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (template("nobody"), 132001),
        (template("hello_world", language="es"), 132001),
        (template("hello_world", "too many", language="en_US"), 132000),
    ],
)
def test_a_misfit_is_refused_at_the_door_in_both_worlds(cluster: Cluster, message: dict[str, Any], code: int) -> None:
    native = cluster.client.post("/v1/messages", json=message)
    assert (native.status_code, native.json()["graph_code"]) == (422, code)
    refused = cluster.client.post(f"/v23.0/{NUMBER}/messages", json=message)
    assert refused.json()["error"]["code"] == code


def test_a_template_lives_its_whole_life(cluster: Cluster) -> None:
    template_id = create(cluster, "order_ready")
    shown = cluster.client.get(f"/v1/templates/{template_id}").json()
    assert (shown["name"], shown["category"], shown["components"]) == ("order_ready", "UTILITY", [BODY])
    accepted = cluster.client.post("/v1/messages", json=template("order_ready", "Ana", "7"))
    assert accepted.status_code == 202, accepted.text
    simple = {"type": "BODY", "text": "Hola {{1}}, adiós.", "example": {"body_text": [["Ana"]]}}
    edited = cluster.client.patch(f"/v1/templates/{template_id}", json={"components": [simple]})
    assert edited.status_code == 200, edited.text
    until(
        lambda: cluster.client.get(f"/v1/templates/{template_id}").json()["components"] == [simple],
        "the catalogue has the new text",
    )
    assert cluster.client.patch(f"/v1/templates/{template_id}", json={"name": "x"}).status_code == 422
    assert cluster.client.delete(f"/v1/templates/{template_id}").json() == {"success": True}
    assert cluster.client.get(f"/v1/templates/{template_id}").status_code == 404
    found = until(
        lambda: (events := events_of(cluster, template_id)) and events[-1] == "template.deleted" and events,
        "its end is an event",
    )
    assert found.count("template.deleted") == 1
    assert found.count("template.created") == 1


def test_what_meta_says_of_a_template_is_an_event_and_counts_at_once(cluster: Cluster) -> None:
    template_id = create(cluster, "paused_one")
    fits = template("paused_one", "Ana", "7")
    assert cluster.client.post("/v1/messages", json=fits).status_code == 202
    cluster.sandbox.post(f"/_sandbox/templates/{template_id}", json={"status": "PAUSED"})
    until(lambda: "template.paused" in events_of(cluster, template_id), "the pause is an event")
    refused = until(
        lambda: (answer := cluster.client.post("/v1/messages", json=fits)).status_code == 422 and answer,
        "the pause counts within the ten seconds for which workers remember a template",
        within_s=15,
        every_s=0.5,
    )
    assert refused.json()["graph_code"] == 132015
    [event] = [event for event in cluster.events() if event["type"] == "template.paused"]
    assert event["data"]["meta"]["field"] == "message_template_status_update"
    assert event["data"]["name"] == "paused_one"


def test_a_template_made_elsewhere_is_found_at_the_first_message(cluster: Cluster) -> None:
    definition = {"name": "made_elsewhere", "language": "es", "category": "UTILITY", "components": [BODY]}
    answer = cluster.sandbox.post(
        f"/v23.0/{WABA}/message_templates", json=definition, headers={"authorization": "Bearer sandbox-token"}
    )
    assert answer.status_code == 200, answer.text
    accepted = until(
        lambda: (
            (found := cluster.client.post("/v1/messages", json=template("made_elsewhere", "Ana", "7"))).status_code
            == 202
            and found
        ),
        "it is accepted",
    )
    assert accepted.json()["status"] == "queued"


def test_what_meta_refuses_is_the_callers_to_mend(cluster: Cluster) -> None:
    missing = cluster.client.post("/v1/templates", json={"name": "x"})
    assert [fault["path"] for fault in missing.json()["errors"]] == ["language", "category", "components"]
    bad = {"name": "BAD NAME", "language": "es", "category": "UTILITY", "components": [BODY]}
    refused = cluster.client.post("/v1/templates", json=bad)
    assert (refused.status_code, refused.json()["code"]) == (422, "template_refused")
    assert refused.json()["graph_code"] == 100


def test_lists_page_and_filter(cluster: Cluster) -> None:
    for name in ("list_a", "list_b", "list_c"):
        create(cluster, name)
    every = cluster.all_pages("/v1/templates", limit=2)
    names = [one["name"] for one in every]
    assert names == sorted(names)
    assert {"hello_world", "list_a", "list_b", "list_c"} <= set(names)
    english = cluster.all_pages("/v1/templates", language="en_us")
    assert [one["name"] for one in english] == ["hello_world"]
