"""Every error code of WhatsApp that the table knows ends in the state that the table says."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from services.graph.code_table import RANGES, RULES
from services.graph.codes import CodeRule, ErrorClass, HoldScope
from services.sandbox.graph.dispatch import THROTTLES
from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.traffic import recipients
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

EVERY_RULE = (*RULES, *(rule for _, rule in RANGES))
WIDE = (HoldScope.NUMBER, HoldScope.ACCOUNT)
ARRIVED = ("delivered", "read")
SOON_S = 5.0
"""A wait that a test can see the end of."""


@dataclass(frozen=True)
class Case:
    """One row of the table, and the phone that its message goes to."""

    rule: CodeRule
    phone: str

    @property
    def name(self) -> str:
        return f"{self.rule.code}/{self.rule.subcode}" if self.rule.subcode else str(self.rule.code)

    @property
    def reason(self) -> str:
        return f"platform_{self.rule.code}"


CASES = [Case(rule, phone) for rule, phone in zip(EVERY_RULE, recipients(len(EVERY_RULE)), strict=True)]
NARROW_CASES = [case for case in CASES if case.rule.scope not in WIDE or case.rule.klass is ErrorClass.FAIL]
WIDE_CASES = [case for case in CASES if case not in NARROW_CASES]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(
        tmp_path_factory.mktemp("codes"), workers=1, environment={"PANAL_NUMBER_RATE_PER_S": "1000"}
    ) as running:
        for case in CASES:
            running.write_as_customer(case.phone, "hello")
        until(lambda: len(running.all_pages("/v1/conversations")) == len(CASES), "every window is open")
        yield running


def inject(cluster: Cluster, case: Case) -> str:
    """The next message to this phone meets the error; its id."""
    then: dict[str, Any] = {"error": case.rule.code}  # late or in the answer, as the sandbox has it
    if case.rule.subcode is not None:
        then["subcode"] = case.rule.subcode
    rule = {"match": {"to": case.phone}, "when": {"next": 1}, "then": then}
    answer = cluster.sandbox.post("/_sandbox/rules", json=rule)
    assert answer.status_code == 200, answer.text
    return str(cluster.send(case.phone, f"meets {case.name}")["id"])


def seconds_of_wait(step: dict[str, Any], until_name: str) -> float:
    return (datetime.fromisoformat(step["data"][until_name]) - datetime.fromisoformat(step["at"])).total_seconds()


def wait_of(rule: CodeRule) -> float:
    """The row's first wait; with a throttle comes Meta's usage header, whose minute is the least."""
    return rule.wait_s(retry_after_s=60.0 if rule.code in THROTTLES else None)


def is_as_the_table_says(rule: CodeRule, seconds: float) -> bool:
    """The first wait, up to a quarter longer; what passes between the reckoning and the record is little."""
    return wait_of(rule) - 0.5 <= seconds <= wait_of(rule) * 1.25 + 0.5


def by_message(cluster: Cluster) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for event in cluster.events():
        found.setdefault(event["data"].get("message_id", ""), []).append(event)
    return found


def faults_of(case: Case, message: dict[str, Any], events: list[dict[str, Any]]) -> list[str]:
    """What is not as the row says; nothing, once everything is."""
    rule, status = case.rule, message["status"]
    told = [event for event in events if (event["data"].get("error") or {}).get("code") == rule.code]
    if not told:
        return [f"{case.name}: no event names the error; it is {status}"]
    first = told[0]
    if rule.klass is ErrorClass.FAIL:
        wanted, is_so = "failed for good", status == "failed" and message["error"]["code"] == rule.code
    elif rule.klass is ErrorClass.RETRY and rule.scope is HoldScope.MESSAGE:
        ends = ARRIVED if wait_of(rule) <= SOON_S else ("queued",)
        wanted = f"retried, then {ends}"
        is_so = first["type"] == "message.retried" and status in ends
        is_so = is_so and is_as_the_table_says(rule, seconds_of_wait(first, "retry_at"))
    else:
        ends = ARRIVED if wait_of(rule) <= SOON_S else ("held",)
        wanted = f"held as {case.reason}, then {ends}"
        is_so = first["type"] == "message.held" and first["data"]["reason"] == case.reason and status in ends
        is_so = is_so and is_as_the_table_says(rule, seconds_of_wait(first, "held_until"))
        is_so = is_so and (status != "held" or message["held_reason"] == case.reason)
    return [] if is_so else [f"{case.name}: wanted {wanted}; it is {status}, told by {first['type']} {first['data']}"]


def test_every_code_that_concerns_one_message_or_pair_ends_as_the_table_says(cluster: Cluster) -> None:
    ids = {case: inject(cluster, case) for case in NARROW_CASES}
    faults: list[str] = []

    def all_are_so() -> bool:
        messages = {one["id"]: one for one in cluster.all_pages("/v1/messages", direction="out")}
        events = by_message(cluster)
        faults[:] = [
            fault for case, one in ids.items() for fault in faults_of(case, messages[one], events.get(one, []))
        ]
        return not faults

    until(all_are_so, "every message is as its row says", every_s=0.5, within_s=10, context=lambda: "\n".join(faults))
    # Nothing that concerns one message or one pair has stopped the number.
    assert not [event for event in cluster.events() if event["type"] == "number.held"]


def test_every_code_that_concerns_the_number_holds_it_until_it_may_go_on(cluster: Cluster) -> None:
    for case in WIDE_CASES:
        meets(cluster, case)


def meets(cluster: Cluster, case: Case) -> None:
    """The number is held as the row says; let go on, it sends again, and the message arrives."""
    after = cluster.events()[-1]["seq"]
    message_id = inject(cluster, case)

    def new(kind: str) -> dict[str, Any] | None:
        page = cluster.client.get("/v1/events", params={"after": after, "limit": 200}).json()["data"]
        return next((event for event in page if event["type"] == kind), None)

    held = until(lambda: new("number.held"), f"{case.name}: the number is held")
    assert (held["data"]["reason"], held["data"]["scope"]) == (case.reason, case.rule.scope.value), case.name
    assert held["data"]["error"]["code"] == case.rule.code
    assert is_as_the_table_says(case.rule, seconds_of_wait(held, "held_until")), (case.name, held)
    told = until(lambda: new("message.held"), f"{case.name}: the message is held")
    assert (told["data"]["message_id"], told["data"]["reason"]) == (message_id, case.reason), case.name
    assert new("message.failed") is None, case.name
    ends_by_itself = wait_of(case.rule) <= 1.0
    if not ends_by_itself:
        assert cluster.client.post(f"/v1/numbers/{NUMBER}/resume").status_code == 200
    released = until(lambda: new("number.released"), f"{case.name}: the number is released")
    assert released["data"]["reason"] == ("hold_ended" if ends_by_itself else "resumed"), case.name
    # Also what had been taken and failed late, and has a time of its own.
    until(lambda: cluster.message(message_id)["status"] in ARRIVED, f"{case.name}: it arrives")
