"""Every route, every scope, and another number's things: a key that is limited to some numbers stays within them.

The routes come from the application's own table, so a new one without a rule, or without a call here, fails.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pymongo
import pytest
from pymongo.database import Database as MongoDatabase
from sanic import Sanic

import blueprints
from blueprints.access import REACH, Reach, operation_of
from blueprints.openapi import OPERATIONS
from services.keys import Scope
from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.limited_keys import MARK, Call, Side, calls_of, marks_of, seed
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

WABA = "102290129340398"
OWN = Side(number=NUMBER, waba=WABA, phone="12025550101", word="markofa")
OTHER = Side(number="106540352249999", waba="102290129349999", phone="12025550102", word=MARK)
EVERY_SCOPE = [scope.value for scope in Scope]
SCOPE_OF = {f"{one.method} {one.path}": one.scope for one in OPERATIONS}
STREAMS = ("GET /v1/events/stream", "GET /v1/events/ws")
WATCHED = (
    *("contacts", "conversations", "messages", "notes", "campaigns", "recipients", "webhook_endpoints", "events"),
    *("webhook_vault", "quick_replies", "media", "templates", "notifications", "keys", "numbers"),
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two numbers with people of their own, in two accounts."""
    with start_cluster(tmp_path_factory.mktemp("limited"), workers=1) as running:
        card = {"display_phone_number": "12025550199", "verified_name": "Other", "waba": OTHER.waba}
        running.sandbox.put(f"/_sandbox/numbers/{OTHER.number}", json=card).raise_for_status()
        with opened(running) as database:
            stored = {"waba": OTHER.waba, "display": "12025550199", "seq_floor": 0, "is_default": False}
            database["numbers"].insert_one({"_id": OTHER.number, "link": "sandbox", **stored})
        running.kill(running.pid("Sanic-WhatsApp-0"))  # an owner reads the numbers when its term begins
        running.wait_ready()
        for side in (OWN, OTHER):
            until(lambda one=side: running.client.get(f"/v1/numbers/{one.number}").status_code == 200, "the number")
            seed(running.client, running.sandbox, side, until)
        yield running


@pytest.fixture
def database(cluster: Cluster) -> Iterator[MongoDatabase[dict[str, Any]]]:
    with opened(cluster) as found:
        yield found


class opened:
    """The database of a cluster, while it runs."""

    def __init__(self, cluster: Cluster) -> None:
        uri = f"mongodb://127.0.0.1:{cluster.database_port}/?directConnection=true&retryWrites=false"
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(uri, tz_aware=True)

    def __enter__(self) -> MongoDatabase[dict[str, Any]]:
        return self._client["panal"]

    def __exit__(self, *_: object) -> None:
        self._client.close()


def routes() -> list[tuple[str, str, str]]:
    """Method, path and operation of every route that needs a key, from the application's own table."""
    app = Sanic("panal-limited-keys")
    try:
        for blueprint in blueprints.ALL:
            app.blueprint(blueprint)
        found = [(method, f"/{route.path}") for route in app.router.routes for method in sorted(route.methods)]
    finally:
        Sanic.unregister_app(app)
    ours = [one for one in found if one[1].startswith(("/v1/", "/console/"))]
    # What names a thing by its id comes first: by its address a limited key may get to know the same person.
    listed = [(method, path, operation_of(method, path)) for method, path in ours]
    return sorted(listed, key=lambda one: ("<" not in one[1], one))


def limited(cluster: Cluster, **facts: Any) -> httpx.Client:
    """A client with a new key, limited to the first number."""
    body = {"name": "limited", "scopes": EVERY_SCOPE, "numbers": [OWN.number], **facts}
    answer = cluster.client.post("/v1/keys", json=body)
    assert answer.status_code == 201, answer.text
    headers = {"authorization": f"Bearer {answer.json()['key']}"}
    return httpx.Client(base_url=cluster.client.base_url, headers=headers, timeout=30)


def leaked(answer: httpx.Response, call: Call) -> list[str]:
    """Marks of the other number in an answer that its caller did not say himself."""
    text = answer.text + repr(dict(answer.headers))
    return sorted(mark for mark in marks_of(OTHER) if mark in text and mark not in call.text)


def send(client: httpx.Client, call: Call) -> httpx.Response:
    return client.request(call.method, call.path, **call.options)


def digest_of_other(database: MongoDatabase[dict[str, Any]]) -> dict[str, str]:
    """A digest of each document of the other number, by collection and id: of a shared contact, its part alone."""
    found = {}
    for name in WATCHED:
        for document in database[name].find({}):
            if any(mark in repr(document) for mark in marks_of(OTHER)):
                whole = hashlib.sha256(repr(sorted(part_of_other(name, document).items())).encode()).hexdigest()
                found[f"{name} {document['_id']}"] = whole
    return found


def part_of_other(name: str, document: dict[str, Any]) -> dict[str, Any]:
    if name in ("keys", "numbers"):
        return {field: value for field, value in document.items() if field not in ("last_used_at", "seq_floor")}
    if name != "contacts":
        return document
    # Words to search by are those of all numbers together; the order of decisions is counted for all.
    shared = {"tokens", "consent_order", f"seq_{OWN.number}"}
    part = {field: value for field, value in document.items() if field not in shared}
    part["numbers"] = [number for number in document["numbers"] if number != OWN.number]
    part["profiles"] = {n: one for n, one in document.get("profiles", {}).items() if n != OWN.number}
    part["consent_at"] = {n: one for n, one in document.get("consent_at", {}).items() if n != OWN.number}
    entries = document.get("consent_history", ())
    part["consent_history"] = [entry for entry in entries if entry["number"] != OWN.number]
    return part


def settled(database: MongoDatabase[dict[str, Any]]) -> dict[str, str]:
    """The digest once nothing of the seed moves any more: statuses arrive by themselves."""
    last: list[dict[str, str]] = [{}]

    def is_still() -> bool:
        before, last[0] = last[0], digest_of_other(database)
        return bool(before) and before == last[0]

    until(is_still, "the seed has settled", every_s=1.5)
    return last[0]


def test_every_route_has_a_rule_and_a_call() -> None:
    for method, path, operation in routes():
        assert operation in REACH, f"{operation} has no rule in blueprints/access.py"
        if REACH[operation] is not Reach.OPEN and not path.startswith("/console/sandbox/<path"):
            OWN.ids.setdefault("notification_id", "x")
            own = Side("1", "2", "3", "a", dict.fromkeys(_parameters(), "x"))
            assert list(calls_of(method, path, operation, own, own)) or method == "DELETE", operation


def _parameters() -> list[str]:
    names = ("message", "conversation", "contact", "media", "template", "campaign", "endpoint", "reply", "key")
    return [*(f"{name}_id" for name in names), "phone_number_id", "notification_id"]


def test_a_limited_key_with_every_scope_sees_and_changes_nothing_of_another_number(
    cluster: Cluster, database: MongoDatabase[dict[str, Any]]
) -> None:
    before = settled(database)
    assert len({name.partition(" ")[0] for name in before}) >= 11, "the seed has something in every collection"
    faults = []
    with limited(cluster) as client:
        for method, path, operation in routes():
            reach = REACH[operation]
            if reach is Reach.OPEN:
                continue
            for call in calls_of(method, path, operation, OWN, OTHER):
                if operation in STREAMS and not call.is_foreign and "params" not in call.options:
                    continue
                answer = send(client, call)
                if (found := leaked(answer, call)) or answer.status_code >= 500:
                    faults.append(f"{operation} {call.options}: {answer.status_code} {found} {answer.text[:300]}")
                expected = {Reach.UNLIMITED: 403, Reach.NUMBERS: 404 if call.is_foreign else None}.get(reach)
                if expected is not None and answer.status_code != expected:
                    faults.append(f"{operation} {call.path}: {answer.status_code}, not {expected}: {answer.text[:200]}")
    after = digest_of_other(database)
    faults += [f"changed: {name}" for name in before if after.get(name) != before[name]]
    made = after.keys() - before.keys()
    faults += [f"made at the other number: {name}" for name in made if not _is_own(name, database)]
    assert not faults, "\n".join(faults)


def _is_own(name: str, database: MongoDatabase[dict[str, Any]]) -> bool:
    """Is it a thing of the first number? It may name somebody of the other one: whom it writes to is its own affair."""
    collection, _, id_ = name.partition(" ")
    document = database[collection].find_one({"_id": id_}) or {}
    return bool(document.get("number") == OWN.number or document.get("campaign"))


@pytest.mark.parametrize("scope", EVERY_SCOPE)
def test_a_limited_key_with_one_scope_is_refused_for_all_others(cluster: Cluster, scope: str) -> None:
    faults = []
    with limited(cluster, scopes=[scope]) as client:
        for method, path, operation in routes():
            if REACH[operation] is Reach.OPEN:
                continue
            needed = SCOPE_OF.get(f"{method} {path.replace(':str', '').replace('<', '{').replace('>', '}')}")
            for call in list(calls_of(method, path, operation, OWN, OTHER))[:1]:
                if operation in STREAMS and "params" not in call.options:
                    continue
                answer = send(client, call)
                # The walk before has written that address and that quoted id down itself.
                if found := [mark for mark in leaked(answer, call) if mark not in (OTHER.phone, OTHER.wamid)]:
                    faults.append(f"{operation}: {found} {answer.text[:200]}")
                if needed is not None and needed.value != scope and answer.status_code != 403:
                    faults.append(f"{operation} needs {needed}: {answer.status_code} {answer.text[:200]}")
    assert not faults, "\n".join(faults)


def test_no_key_gets_more_than_its_maker_has(cluster: Cluster, database: MongoDatabase[dict[str, Any]]) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    facts = {"scopes": ["admin", "messages:read", "messages:send"], "expires_at": end.isoformat()}
    refused: list[tuple[dict[str, Any], str]] = [
        ({"numbers": [OTHER.number]}, "numbers"),
        ({"numbers": [OWN.number, OTHER.number]}, "numbers"),
        ({"numbers": ["1"]}, "numbers"),
        ({"scopes": ["admin", "contacts"]}, "scopes"),
        ({"expires_at": (end + timedelta(seconds=1)).isoformat()}, "expires_at"),
    ]
    with limited(cluster, **facts) as client:
        for control_request, path in refused:
            answer = client.post("/v1/keys", json={"name": "more", "scopes": ["messages:read"], **control_request})
            assert (answer.status_code, answer.json()["errors"][0]["path"]) == (403, path), answer.text
        made = client.post("/v1/keys", json={"name": "same", "scopes": ["admin", "messages:read"]})
        assert made.status_code == 201, made.text
        assert made.json()["numbers"] == [OWN.number], "without a control_request it gets the limit of its maker"
        assert made.json()["expires_at"] == end.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        child = {"authorization": f"Bearer {made.json()['key']}"}
        grandchild = client.post("/v1/keys", json={"name": "more", "scopes": ["messages:send"]}, headers=child)
        assert grandchild.status_code == 403
        seen = {key["id"] for key in client.get("/v1/keys").json()["data"]}
        assert made.json()["id"] in seen
        assert OTHER.ids["key_id"] not in seen
        assert "key_bootstrap" not in seen
        for foreign in (OTHER.ids["key_id"], "key_bootstrap"):
            assert client.delete(f"/v1/keys/{foreign}").status_code == 404
        mighty = cluster.client.post("/v1/keys", json={"name": "m", "scopes": EVERY_SCOPE, "numbers": [OWN.number]})
        assert client.delete(f"/v1/keys/{mighty.json()['id']}").status_code == 403
        assert client.delete(f"/v1/keys/{made.json()['id']}").status_code == 200
    makers = {key["_id"] for key in database["keys"].find({"numbers": {"$ne": []}})}
    for command in database["commands"].find({"kind": "key.create", "by": {"$in": sorted(makers)}}):
        assert command["data"]["numbers"] == [OWN.number]


def test_a_key_without_a_limit_gives_no_scope_that_it_lacks(cluster: Cluster) -> None:
    some = cluster.client.post("/v1/keys", json={"name": "some", "scopes": ["admin"]}).json()
    headers = {"authorization": f"Bearer {some['key']}"}
    answer = httpx.post(
        f"{cluster.client.base_url}/v1/keys", json={"name": "more", "scopes": ["messages:send"]}, headers=headers
    )
    assert answer.status_code == 403, answer.text


def test_a_person_whom_two_numbers_know_is_shown_to_each_as_it_knows_them(cluster: Cluster) -> None:
    phone = "12025550110"
    theirs = {"from": OTHER.number, "to": phone, "name": f"{MARK} Ana", "labels": [MARK], "attributes": {MARK: MARK}}
    whole = cluster.client.post("/v1/contacts", json=theirs)
    assert whole.status_code == 201, whole.text
    id_ = whole.json()["id"]
    with limited(cluster) as client, limited(cluster, numbers=[OTHER.number]) as colleague:
        assert client.get(f"/v1/contacts/{id_}").status_code == 404
        made = client.post("/v1/contacts", json={"to": phone, "name": "Ana", "labels": ["ours"]})
        assert made.status_code == 201, "for this number the contact is new"
        shown = made.json()
        assert (shown["name"], shown["labels"], shown["attributes"]) == ("Ana", ["ours"], {})
        assert shown["phone_number_ids"] == [OWN.number]
        for search, hits in ((MARK, 0), ("ana", 1), (phone, 1)):
            found = client.get("/v1/contacts", params={"search": search}).json()["data"]
            assert len([one for one in found if one["id"] == id_]) == hits, search
        assert client.get("/v1/contacts", params={"label": MARK}).json()["data"] == []
        assert [one["id"] for one in client.get("/v1/contacts", params={"label": "ours"}).json()["data"]] == [id_]
        assert MARK not in client.get("/v1/contacts/export").text
        their_view = colleague.get(f"/v1/contacts/{id_}").json()
        assert (their_view["name"], their_view["labels"], their_view["attributes"]) == (
            f"{MARK} Ana",
            [MARK],
            {MARK: MARK},
        )
        all_of_it = cluster.client.get(f"/v1/contacts/{id_}").json()
        assert (all_of_it["name"], all_of_it["labels"]) == (f"{MARK} Ana", [MARK]), "others see it as before"
        events = client.get("/v1/events", params={"limit": 200, "types": "contact.*"}).json()["data"]
        assert id_ in [event["data"].get("contact_id") for event in events]
        assert MARK not in repr(events)


def test_opt_outs_are_honoured_and_those_of_other_numbers_are_neither_shown_nor_lifted(cluster: Cluster) -> None:
    phone = "12025550111"
    out = {"from": OTHER.number, "to": phone, "source": MARK, "proof": MARK}
    assert cluster.client.post("/v1/contacts/opt-out", json=out).status_code == 200
    text = {"to": phone, "type": "text", "text": {"body": "x"}}
    with limited(cluster) as client:
        lifted = client.post("/v1/contacts/opt-in", json={"to": phone, "proof": "paper"})
        assert lifted.status_code == 200, lifted.text
        shown = client.get(f"/v1/contacts/{lifted.json()['id']}").json()
        assert MARK not in repr(shown)
        assert shown["opted_out"] == "all", "a message would be refused for it"
        assert [entry["status"] for entry in shown["consent_history"]] == ["in"]
        until(lambda: _code(client, text) == "opted_out", "this number keeps to it", every_s=0.5)
    back = {"from": OTHER.number, "to": phone}
    assert cluster.client.post("/v1/contacts/opt-in", json=back).json()["opted_out"] is None


def test_an_opt_out_of_a_limited_key_stops_its_own_numbers_alone(cluster: Cluster) -> None:
    phone = "12025550112"
    assert cluster.client.post("/v1/contacts", json={"from": OTHER.number, "to": phone}).status_code == 201
    text = {"to": phone, "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}
    theirs = {**text, "from": OTHER.number, "template": {"name": f"{MARK}_template", "language": {"code": "en_US"}}}
    with limited(cluster) as client:
        out = client.post("/v1/contacts/opt-out", json={"to": phone})
        assert out.json()["opted_out"] == "all"
        until(lambda: _code(client, text) == "opted_out", "its own messages are refused", every_s=0.5)
        first = _sent(cluster, theirs)
        until(lambda: _arrived(cluster, first), "the other number still writes")
        cluster.kill(cluster.pid("Sanic-WhatsApp-0"))
        cluster.wait_ready()
        until(lambda: _code(client, text) == "opted_out", "also after the owner's death", every_s=0.5)
        second = _sent(cluster, theirs)
        until(lambda: _arrived(cluster, second), "and the other number's gate lets it pass", within_s=30)
        back = client.post("/v1/contacts/opt-in", json={"to": phone})
        assert back.json()["opted_out"] is None
        until(lambda: _code(client, text) is None, "it may write again", every_s=0.5)


def _sent(cluster: Cluster, message: dict[str, Any]) -> str:
    answer = cluster.client.post("/v1/messages", json=message)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def _arrived(cluster: Cluster, message_id: str) -> bool:
    return cluster.message(message_id)["status"] in ("delivered", "read")


def _code(client: httpx.Client, message: dict[str, Any]) -> str | None:
    answer = client.post("/v1/messages", json=message)
    return None if answer.status_code == 202 else str(answer.json()["code"])


def test_a_session_of_the_console_has_the_limit_of_its_key(cluster: Cluster) -> None:
    made = cluster.client.post("/v1/keys", json={"name": "agent", "scopes": EVERY_SCOPE, "numbers": [OWN.number]})
    page = httpx.Client(base_url=cluster.client.base_url, headers={"x-panal-console": "1"})
    with page:
        assert page.post("/console/session", json={"key": made.json()["key"]}).status_code == 200
        phones = page.get("/console/sandbox/phones").json()
        assert OWN.phone in [one["wa_id"] for one in phones]
        assert OTHER.phone not in [one["wa_id"] for one in phones]
        said = page.get(f"/console/sandbox/phones/{OWN.phone}/messages").text
        assert "markofa said" in said
        assert page.get(f"/console/sandbox/phones/{OTHER.phone}/messages").json() == []
        wrote = {"type": "text", "text": {"body": "x"}, "phone_number_id": OTHER.number}
        assert page.post(f"/console/sandbox/phones/{OWN.phone}/messages", json=wrote).status_code == 404
        assert page.put("/console/sandbox/settings", json={"pair_limit": True}).status_code == 403
        for path in ("/console/agents", "/console/tails", "/console/latest-events?limit=200", "/v1/cluster"):
            answer = page.get(path)
            assert answer.status_code == 200, path
            assert not [mark for mark in leaked(answer, Call("GET", path)) if mark != OTHER.phone], path


def test_a_live_stream_of_a_limited_key_is_that_of_its_number(cluster: Cluster) -> None:
    with limited(cluster) as client, client.stream("GET", "/v1/events/stream", params={"after": 0}) as answer:
        assert answer.status_code == 200
        text = ""
        for piece in answer.iter_text():
            text += piece
            if "markofa said" in text and len(text) > 5_000:
                break
    assert not [mark for mark in marks_of(OTHER) - {OTHER.phone} if mark in text]


def test_a_campaign_of_a_limited_key_takes_nobody_by_the_label_of_another_number(cluster: Cluster) -> None:
    hello = {"name": "hello_world", "language": {"code": "en_US"}}
    control_request = {"name": "c", "template": hello, "category": "utility", "audience": {"label": f"{MARK}-label"}}
    theirs = cluster.client.post("/v1/campaigns", json={**control_request, "from": OWN.number}).json()["id"]
    everybody = cluster.client.get(f"/v1/campaigns/{theirs}/preview").json()["data"]
    assert [one["to"] for one in everybody] == [OTHER.phone]
    with limited(cluster) as client:
        own = client.post("/v1/campaigns", json=control_request)
        assert own.status_code == 201, own.text
        assert client.get(f"/v1/campaigns/{own.json()['id']}/preview").json()["data"] == []
        assert client.post(f"/v1/campaigns/{own.json()['id']}/dry-run", json={}).json()["looked_at"] == 0
        assert client.get(f"/v1/campaigns/{theirs}/preview").status_code == 404, "it takes people of every number"
        listed = [one["id"] for one in client.get("/v1/campaigns").json()["data"]]
        assert own.json()["id"] in listed
        assert theirs not in listed


def test_an_endpoint_of_every_number_is_not_told_of_to_readers_of_one(cluster: Cluster) -> None:
    url = "http://127.0.0.1:9/everywhere"
    wide = cluster.client.post("/v1/webhook-endpoints", json={"url": url}).json()["id"]
    own = cluster.client.post("/v1/webhook-endpoints", json={"url": url, "numbers": [OWN.number]}).json()["id"]

    def told(client: httpx.Client) -> set[str]:
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page = client.get("/v1/events", params={"after": after, "limit": 200, "types": "webhook_endpoint.*"}).json()
            found += page["data"]
            if page["next_after"] == after:
                return {event["data"]["endpoint_id"] for event in found}
            after = page["next_after"]

    assert {wide, own} <= told(cluster.client)
    with limited(cluster) as client:
        assert own in told(client)
        assert wide not in told(client)
        assert client.get(f"/v1/webhook-endpoints/{wide}").status_code == 404
        assert wide not in client.get("/console/latest-events", params={"limit": 200}).text
