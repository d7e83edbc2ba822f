"""Campaigns on a real cluster: lists, files and labels; pauses, cancels and what became of everybody."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.sandbox.wire.ids import user_id_of
from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.slack import slack
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

WABA = "102290129340398"
TEMPLATE = {
    "name": "promo",
    "language": "en_US",
    "components": [{"type": "body", "parameters": [{"type": "text", "text": "{{name|friend}}"}]}],
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    environment = {"PANAL_NUMBER_RATE_PER_S": "300"}
    with start_cluster(tmp_path_factory.mktemp("campaigns"), workers=2, environment=environment) as running:
        add_template(running)
        yield running


def add_template(cluster: Cluster) -> None:
    """An approved template with one parameter."""
    body = {"type": "BODY", "text": "Hi {{1}}, look at this", "example": {"body_text": [["Ana"]]}}
    template = {"name": "promo", "language": "en_US", "category": "MARKETING", "components": [body]}
    headers = {"authorization": "Bearer sandbox-token"}
    answer = cluster.sandbox.post(f"/v23.0/{WABA}/message_templates", json=template, headers=headers)
    assert answer.status_code == 200, answer.text
    path = f"/v23.0/{answer.json()['id']}"
    until(lambda: cluster.sandbox.get(path, headers=headers).json()["status"] == "APPROVED", "the template is approved")


def call(cluster: Cluster, method: str, path: str, *, expect: int = 200, **options: Any) -> Any:
    answer = cluster.client.request(method, path, **options)
    assert answer.status_code == expect, answer.text
    return answer.json()


def create(cluster: Cluster, *, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    body = {"name": "Spring", "template": TEMPLATE, **fields}
    made: dict[str, Any] = call(cluster, "POST", "/v1/campaigns", expect=201, json=body, headers=headers or {})
    return made


def state(cluster: Cluster, campaign: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = call(cluster, "GET", f"/v1/campaigns/{campaign['id']}")
    return found


def wait_for(cluster: Cluster, campaign: dict[str, Any], status: str, within_s: float = 60) -> dict[str, Any]:
    until(
        lambda: state(cluster, campaign)["status"] == status,
        f"the campaign is {status}",
        within_s=within_s,
        every_s=0.2,
        context=lambda: str(state(cluster, campaign)),
    )
    return state(cluster, campaign)


def received(cluster: Cluster) -> Counter[str]:
    """How many templates each phone got, by the sandbox's own log."""
    log = cluster.sandbox.get("/_sandbox/log", params={"after": 0}).json()
    return Counter(entry["to"] for entry in log if entry["type"] == "template")


def steady(count: Callable[[], int]) -> int | None:
    """The count, if it stays the same for a second and a half."""
    before = count()
    time.sleep(1.5)
    return before if count() == before else None


def phones(prefix: int, count: int) -> list[str]:
    return [f"1555{prefix:02d}{at:05d}" for at in range(count)]


def test_a_list_in_the_body_gets_the_template_with_its_variables(cluster: Cluster) -> None:
    first, second, third = phones(10, 3)
    call(cluster, "POST", "/v1/contacts/opt-out", json={"to": third, "category": "marketing"})
    people = [{"to": first, "variables": {"name": "Ana"}}, second, {"to": f"+{first}"}, third]
    campaign = create(cluster, audience={"recipients": people}, start=True)
    ended = wait_for(cluster, campaign, "completed")
    assert ended["progress"] == {"total": 3, "handed_over": 2, "skipped": 1}
    assert sum(ended["results"].values()) == 2
    assert [entry["template"]["components"][0]["parameters"][0]["text"] for entry in cluster.phone(first)] == ["Ana"]
    assert received(cluster)[third] == 0
    result = {entry["to"]: entry for entry in cluster.all_pages(f"/v1/campaigns/{campaign['id']}/recipients")}
    assert result[third]["status"] == "skipped"
    assert result[third]["reason"].startswith("opted_out")
    message = cluster.message(result[first]["message_id"])
    assert message["metadata"] == {"campaign_id": campaign["id"]}
    listed = cluster.all_pages("/v1/messages", campaign_id=campaign["id"])
    assert {one["to"] for one in listed} == {first, second}
    types = [event["type"] for event in cluster.events() if event["data"].get("campaign_id") == campaign["id"]]
    assert types[:2] == ["campaign.created", "campaign.started"]
    assert types[-1] == "campaign.completed"


def test_a_person_on_the_list_by_number_and_by_user_id_gets_it_once(cluster: Cluster) -> None:
    known, other = phones(24, 2)
    cluster.write_as_customer(known, "hello")
    until(lambda: cluster.all_pages("/v1/conversations", wa_id=known), "the conversation is there")
    people = [known, other, user_id_of(known)]
    campaign = create(cluster, audience={"recipients": people}, start=True)
    ended = wait_for(cluster, campaign, "completed")
    assert ended["progress"] == {"total": 3, "handed_over": 2, "skipped": 1}
    assert (received(cluster)[known], received(cluster)[other]) == (1, 1)
    result = {entry["to"]: entry for entry in cluster.all_pages(f"/v1/campaigns/{campaign['id']}/recipients")}
    assert result[user_id_of(known)]["reason"] == f"same_person: {known} is on the list, too"


def test_a_request_repeated_with_its_key_is_one_campaign(cluster: Cluster) -> None:
    (phone,) = phones(11, 1)
    made = [
        create(cluster, audience={"recipients": [phone]}, start=True, headers={"idempotency-key": "spring-1"})
        for _ in range(3)
    ]
    assert len({one["id"] for one in made}) == 1
    wait_for(cluster, made[0], "completed")
    assert received(cluster)[phone] == 1
    other = {"name": "Other", "template": TEMPLATE}
    problem = call(cluster, "POST", "/v1/campaigns", expect=409, json=other, headers={"idempotency-key": "spring-1"})
    assert problem["code"] == "idempotency_conflict"


def test_a_file_is_uploaded_previewed_counted_and_sent_once_each(cluster: Cluster) -> None:
    listed = phones(12, 600)
    campaign = create(cluster)
    path = f"/v1/campaigns/{campaign['id']}"
    assert call(cluster, "POST", f"{path}/start", expect=422)["code"] == "empty_audience"
    lines = ["to,name", *(f"{phone},N{at}" for at, phone in enumerate(listed)), "nobody,x", f"{listed[0]},again"]
    headers = {"content-type": "text/csv"}
    report = call(cluster, "POST", f"{path}/recipients", content="\n".join(lines).encode(), headers=headers)
    assert (report["lines"], report["added"], report["duplicates"], report["failed"]) == (602, 600, 1, 1)
    assert report["errors"][0]["line"] == 602
    more = call(cluster, "POST", f"{path}/recipients", json={"recipients": [listed[1], phones(13, 1)[0]]})
    assert (more["added"], more["duplicates"]) == (1, 1)
    call(cluster, "POST", "/v1/contacts/opt-out", json={"to": listed[5]})
    preview = call(cluster, "GET", f"{path}/preview", params={"limit": 2})["data"]
    assert preview[0]["payload"]["template"]["components"][0]["parameters"][0]["text"] == "N0"
    counted = call(cluster, "POST", f"{path}/dry-run")
    assert (counted["looked_at"], counted["would_send"], counted["skipped"]) == (601, 600, {"opted_out": 1})
    assert not set(listed) & set(received(cluster))
    call(cluster, "POST", f"{path}/start")
    ended = wait_for(cluster, campaign, "completed")
    assert ended["progress"] == {"total": 601, "handed_over": 600, "skipped": 1}
    got = received(cluster)
    assert [phone for phone in listed if got[phone] != 1] == [listed[5]]
    assert (
        call(cluster, "POST", f"{path}/recipients", expect=409, json={"recipients": [listed[0]]})["code"]
        == "wrong_state"
    )


def test_contacts_with_a_label_are_the_audience(cluster: Cluster) -> None:
    ana, bob, eve = phones(14, 3)
    for phone, name, labels in ((ana, "Ana María", ["club"]), (bob, None, ["club"]), (eve, "Eve", [])):
        call(cluster, "POST", "/v1/contacts", expect=201, json={"to": phone, "name": name, "labels": labels})
    components = [{"type": "body", "parameters": [{"type": "text", "text": "{{first_name|friend}}"}]}]
    campaign = create(cluster, audience={"label": "club"}, template={**TEMPLATE, "components": components}, start=True)
    ended = wait_for(cluster, campaign, "completed")
    assert ended["progress"]["total"] == 2
    texts = {
        phone: [entry["template"]["components"][0]["parameters"][0]["text"] for entry in cluster.phone(phone)]
        for phone in (ana, bob, eve)
    }
    assert texts == {ana: ["Ana"], bob: ["friend"], eve: []}


def test_a_pause_stops_it_a_resume_goes_on_and_a_plan_is_followed(cluster: Cluster) -> None:
    listed = phones(15, 120)
    campaign = create(cluster, audience={"recipients": listed}, rate_per_minute=1200, start=True)
    path = f"/v1/campaigns/{campaign['id']}"

    def count() -> int:
        got = received(cluster)
        return sum(got[phone] for phone in listed)

    until(lambda: count() >= 20, "it is under way")
    call(cluster, "POST", f"{path}/pause")
    paused_at = until(lambda: steady(count), "nothing more leaves")
    assert paused_at < 120
    assert state(cluster, campaign)["status"] == "paused"
    assert steady(count) == paused_at
    call(cluster, "PATCH", path, json={"rate_per_minute": None})
    call(cluster, "POST", f"{path}/resume")
    wait_for(cluster, campaign, "completed")
    assert count() == 120
    assert max(received(cluster)[phone] for phone in listed) == 1


def test_a_cancel_takes_back_what_has_not_left(cluster: Cluster) -> None:
    listed = phones(16, 200)
    campaign = create(cluster, audience={"recipients": listed}, rate_per_minute=180, start=True)
    path = f"/v1/campaigns/{campaign['id']}"
    until(lambda: sum(received(cluster)[phone] for phone in listed) >= 5, "it is under way")
    call(cluster, "POST", f"{path}/cancel")
    until(
        lambda: not {"queued", "held", "sending"} & state(cluster, campaign)["results"].keys(),
        "what waited is withdrawn",
        context=lambda: str(state(cluster, campaign)),
    )
    got = sum(received(cluster)[phone] for phone in listed)
    assert got < 200
    result = Counter(entry["status"] for entry in cluster.all_pages(f"{path}/recipients"))
    assert result["canceled"] == 200 - got
    assert call(cluster, "POST", f"{path}/resume", expect=409)["code"] == "wrong_state"


def test_it_starts_at_its_time(cluster: Cluster) -> None:
    (phone,) = phones(17, 1)
    send_at = datetime.now(UTC) + timedelta(seconds=3)
    campaign = create(cluster, audience={"recipients": [phone]}, send_at=send_at.isoformat(), start=True)
    assert campaign["status"] == "scheduled"
    ended = wait_for(cluster, campaign, "completed")
    late_s = (datetime.fromisoformat(ended["started_at"]) - send_at).total_seconds()
    assert 0 <= late_s < 3 * slack()


def test_a_template_that_does_not_exist_pauses_the_campaign(cluster: Cluster) -> None:
    listed = phones(18, 300)
    campaign = create(
        cluster,
        template={"name": "no_such", "language": "en_US"},
        audience={"recipients": listed},
        rate_per_minute=3000,
        start=True,
    )
    paused = wait_for(cluster, campaign, "paused")
    assert paused["reason"] == "failures"
    assert paused["progress"]["handed_over"] < 300
    found = call(cluster, "GET", f"/v1/campaigns/{campaign['id']}/recipients", params={"limit": 1})["data"][0]
    assert (found["status"], found["error"]["code"]) == ("failed", 132001)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"template": TEMPLATE}, "name"),
        ({"name": "x", "template": TEMPLATE, "audience": {"recipients": [{"to": "1"}]}}, "audience.recipients[0].to"),
        ({"name": "x", "template": {"name": "promo"}}, "template.language"),
        ({"name": "x", "template": TEMPLATE, "from": "1"}, "from"),
    ],
)
def test_a_faulty_campaign_is_refused_with_its_path(cluster: Cluster, body: dict[str, Any], path: str) -> None:
    problem = call(cluster, "POST", "/v1/campaigns", expect=422, json=body)
    assert path in [error["path"] for error in problem["errors"]]


def test_campaigns_are_listed_the_newest_first(cluster: Cluster) -> None:
    made = [create(cluster, name=f"draft {at}")["id"] for at in range(3)]
    listed = cluster.all_pages("/v1/campaigns", limit=2)
    assert [one["id"] for one in listed[:3]] == made[::-1]
    assert {one["phone_number_id"] for one in listed} == {NUMBER}
    assert call(cluster, "GET", "/v1/campaigns/cmp_none", expect=404)["code"] == "not_found"
