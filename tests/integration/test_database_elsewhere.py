"""The main job on a MongoDB that is not the embedded one: the queries are those that MongoDB is asked.

It is the same server behind a line that gives it another name: what only the embedded one needs (queries in parts, a
bulk as one transaction, lists cut out of slices) stays away, as in production.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.store import Database, DatabaseOptions
from services.store.server_strategy import MongoServer
from tests.harness import Cluster, start_cluster
from tests.harness.externals import DatabaseServer
from tests.harness.line import elsewhere
from tests.harness.traffic import received_texts, recipients, send_in_order
from tests.harness.waiting import until, until_async

pytestmark = pytest.mark.integration

PHONES = recipients(12, first=16505556000)
EACH = 15
LIMIT = 7
"""Small pages, so that every list has several."""

Row = dict[str, Any]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("elsewhere")
    with ExitStack() as stack:
        server = DatabaseServer(folder)
        server.start()
        stack.callback(server.stop)
        line = stack.enter_context(elsewhere(server.port))
        # What was in doubt when the owner was killed goes again, once nothing was heard.
        environment = {"PANAL_MONGODB_URI": line.uri, "PANAL_DB_SERVERS": "1", "PANAL_EVIDENCE_WAIT_S": "2"}
        yield stack.enter_context(start_cluster(folder / "host", workers=3, environment=environment))


@pytest.fixture(scope="module")
def bodies(cluster: Cluster) -> dict[str, list[str]]:
    """Everybody has written, and has had `EACH` answers; the owner was killed in the middle."""
    for phone in PHONES:
        cluster.write_as_customer(phone, f"hello from {phone}")
    until(lambda: len(cluster.all_pages("/v1/conversations")) == len(PHONES), "every conversation is open")
    first = send_in_order(cluster, PHONES, each=EACH // 2, prefix="a", on_uncertain="resend")
    cluster.kill(cluster.pid("Sanic-WhatsApp-0"))
    second = send_in_order(cluster, PHONES, each=EACH - EACH // 2, prefix="b", on_uncertain="resend")
    until(
        lambda: all(one["status"] == "read" for one in cluster.all_pages("/v1/messages", direction="out")),
        "everything is read",
        within_s=60,
        every_s=0.3,
    )
    return {phone: first.bodies[phone] + second.bodies[phone] for phone in PHONES}


def pages(cluster: Cluster, path: str, **asked: Any) -> list[Row]:
    return cluster.all_pages(path, limit=LIMIT, **asked)


async def test_it_is_asked_as_a_mongodb_and_streams_its_changes(cluster: Cluster) -> None:
    options = DatabaseOptions(
        uri=cluster.environment["PANAL_MONGODB_URI"],
        name="panal",
        app_name="test",
        pool=1,
        wait_queue_ms=1_000,
        connect_ms=1_000,
        select_ms=1_000,
    )
    database = Database(options)
    try:
        assert type(await database.server()) is MongoServer
    finally:
        await database.close()

    def is_streaming() -> bool:
        rows = cluster.client.get("/v1/cluster").json()["processes"]
        return [row["whatsapp"].get("is_streaming") for row in rows if row["role"] == "whatsapp"] == [True]

    # The owner is ready before its change stream is open: what it reads meanwhile comes by the clock.
    await until_async(is_streaming, "the owner follows the changes")


def test_everything_arrives_once_and_in_order_through_a_kill(cluster: Cluster, bodies: dict[str, list[str]]) -> None:
    for phone in PHONES:
        assert received_texts(cluster, phone) == bodies[phone]
    events = cluster.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


@pytest.mark.usefixtures("bodies")
def test_lists_of_messages_and_their_filters(cluster: Cluster) -> None:
    every = cluster.all_pages("/v1/messages")
    assert len({one["id"] for one in every}) == len(every) == len(PHONES) * (EACH + 1)
    assert [one["id"] for one in pages(cluster, "/v1/messages")] == [one["id"] for one in every]
    conversation = every[0]["conversation_id"]
    filters: list[tuple[Row, Callable[[Row], bool]]] = [
        ({"direction": "in"}, lambda one: one["direction"] == "in"),
        ({"status": "read"}, lambda one: one["status"] == "read"),
        ({"to": PHONES[3]}, lambda one: one["to"] == PHONES[3]),
        ({"conversation_id": conversation}, lambda one: one["conversation_id"] == conversation),
        (
            {"conversation_id": conversation, "direction": "out"},
            lambda one: one["conversation_id"] == conversation and one["direction"] == "out",
        ),
        ({"status": "failed"}, lambda one: one["status"] == "failed"),
    ]
    for asked, fits in filters:
        assert [one["id"] for one in pages(cluster, "/v1/messages", **asked)] == [
            one["id"] for one in every if fits(one)
        ]


@pytest.mark.usefixtures("bodies")
def test_conversations_and_contacts_are_listed_searched_and_changed(cluster: Cluster) -> None:
    every = cluster.all_pages("/v1/conversations")
    assert [one["id"] for one in pages(cluster, "/v1/conversations")] == [one["id"] for one in every]
    for asked in ({"q": f"hell {PHONES[5][:-1]}"}, {"q": PHONES[5]}, {"wa_id": PHONES[5]}):
        found = pages(cluster, "/v1/conversations", **asked)
        assert PHONES[5] in {one["contact"]["wa_id"] for one in found}, asked
    (mine,) = pages(cluster, "/v1/conversations", wa_id=PHONES[5])
    change = cluster.client.patch(f"/v1/conversations/{mine['id']}", json={"labels": ["vip"], "assignee": "ana"})
    assert change.status_code in (200, 202)
    until(lambda: len(pages(cluster, "/v1/conversations", label="vip", assignee="ana")) == 1, "it has its label")
    assert len(pages(cluster, "/v1/conversations", unread="true")) == len(PHONES)
    contacts = pages(cluster, "/v1/contacts")
    assert {one["wa_id"] for one in contacts} == set(PHONES)
    assert PHONES[7] in {one["wa_id"] for one in pages(cluster, "/v1/contacts", search=PHONES[7])}


def test_what_is_due_later_goes_when_it_is_due(cluster: Cluster, bodies: dict[str, list[str]]) -> None:
    due = datetime.now(UTC) + timedelta(seconds=2)
    message = {"to": PHONES[0], "type": "text", "text": {"body": "later"}, "send_at": due.isoformat()}
    made = cluster.client.post("/v1/messages", json=message)
    assert made.status_code == 202, made.text
    assert cluster.message(made.json()["id"])["status"] == "scheduled"
    until(lambda: cluster.message(made.json()["id"])["status"] == "read", "it went", within_s=20)
    assert received_texts(cluster, PHONES[0]) == [*bodies[PHONES[0]], "later"]


@pytest.mark.usefixtures("bodies")
def test_a_campaign_by_label_and_the_stop_of_somebody(cluster: Cluster) -> None:
    for phone in PHONES[:6]:
        answer = cluster.client.post("/v1/contacts", json={"to": phone, "labels": ["spring"]})
        assert answer.status_code in (200, 201, 202), answer.text
    cluster.write_as_customer(PHONES[1], "STOP")
    until(lambda: len(pages(cluster, "/v1/contacts", opted_out="all")) == 1, "the stop is known")
    until(lambda: len(pages(cluster, "/v1/contacts", label="spring")) == 6, "six have the label")
    template = {"name": "hello_world", "language": "en_US"}
    asked = {
        "name": "Spring",
        "template": template,
        "category": "marketing",
        "audience": {"label": "spring"},
        "start": True,
    }
    made = cluster.client.post("/v1/campaigns", json=asked)
    assert made.status_code in (201, 202), made.text
    path = f"/v1/campaigns/{made.json()['id']}"
    until(lambda: cluster.client.get(path).json()["status"] == "completed", "it is completed", within_s=60)
    assert cluster.client.get(path).json()["progress"] == {"total": 6, "handed_over": 5, "skipped": 1}


def test_it_stops_in_peace(cluster: Cluster) -> None:
    assert cluster.stop() == 0
