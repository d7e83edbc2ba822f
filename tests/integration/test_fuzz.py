"""Odd requests to every operation of a running server: no 500, no traceback, no status without a documentation.

Every run sends the same requests. FUZZ_EVERY=1 sends all of them; otherwise each third is sent.
"""

import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.fuzz import Heard, Odd, Wire, odd_requests
from tests.harness.fuzz_more import (
    CONTROL,
    SANDBOX,
    odd_files,
    odd_forms,
    odd_graph_calls,
    odd_graph_queries,
    odd_headers,
    odd_notifications,
    odd_pages,
)
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

EVERY = int(os.environ.get("FUZZ_EVERY", "3"))
PHONE, SOMEBODY_NEW = "16505551234", "12025550177"
SLOW_S = 15.0
"""Longer than an answer takes on a loaded machine: what takes so long hangs."""

STREAMS = ("/v1/events/stream", "/v1/events/ws")
MORE_THAN_500 = (502, 503)
"""Kinds of "not now": documented where they may come. Any other status from 500 on is a fault of ours."""


@dataclass
class Seen:
    """What all requests of this run were answered with."""

    statuses: defaultdict[tuple[str, str], Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    broken: list[str] = field(default_factory=list)

    def note(self, odd: Odd, heard: Heard, took_s: float) -> None:
        if odd.operation[1]:
            self.statuses[odd.operation][heard.status] += 1
        if heard.status >= 500 and heard.status not in MORE_THAN_500:
            self.broken.append(f"{heard.status}: {odd}: {heard.body[-300:]!r}")
        if took_s > SLOW_S:
            self.broken.append(f"{took_s:.0f} s: {odd}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("fuzz"), workers=1) as running:
        owner = running.pid("Sanic-WhatsApp-0")
        running.write_as_customer(PHONE, "hola")
        until(lambda: running.all_pages("/v1/messages", direction="in"), "what the customer wrote stands")
        yield running
        # Whatever was sent before: the owner reads and sends as on the first day, and nobody died on the way.
        running.sandbox.delete("/_sandbox/rules")
        running.client.post(f"/v1/numbers/{NUMBER}/resume")
        running.write_as_customer(SOMEBODY_NEW, "hola")
        until(lambda: running.all_pages("/v1/conversations", wa_id=SOMEBODY_NEW), "somebody new is heard")
        message_id = running.send(SOMEBODY_NEW, "still there?")["id"]
        until(lambda: running.message(message_id)["status"] not in ("queued", "sending"), "the owner sends")
        assert running.pid("Sanic-WhatsApp-0") == owner
        assert "Traceback" not in running.log
        for action in ("request.bug", "command.failed", "errand.failed", "call.broken", "control.broken"):
            assert action not in running.log


@pytest.fixture(scope="module")
def document(cluster: Cluster) -> dict[str, Any]:
    found: dict[str, Any] = cluster.client.get("/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Seen()


@pytest.fixture(scope="module")
def ids(cluster: Cluster, document: dict[str, Any]) -> dict[str, str]:
    """A good value for each parameter of a path."""

    def example_of(path: str) -> Any:
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        return next(iter(content["examples"].values()))["value"]

    def made(path: str, body: Any) -> str:
        answer = cluster.client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def first(path: str) -> str:
        return str(cluster.client.get(path).json()["data"][0]["id"])

    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
    media = cluster.client.post("/v1/media", files={"file": ("a.png", png, "image/png")})
    return {
        "message_id": first("/v1/messages"),
        "conversation_id": first("/v1/conversations"),
        "contact_id": first("/v1/contacts"),
        "template_id": first("/v1/templates"),
        "notification_id": first("/v1/notifications?state=done"),
        "reply_id": made("/v1/quick-replies", {"text": "hola"}),
        "campaign_id": made("/v1/campaigns", example_of("/v1/campaigns")),
        "endpoint_id": made("/v1/webhook-endpoints", {"url": "http://127.0.0.1:9/", "events": ["*"]}),
        "media_id": str(media.json()["id"]),
        "key_id": "key_none",
        "phone_number_id": NUMBER,
        "version": "v23.0",
        "id": NUMBER,
        "edge": "whatsapp_business_profile",
    }


def ask_all(wire: Wire, odds: Iterable[Odd], seen: Seen) -> int:
    """Send each ``EVERY``th; how many."""
    count = 0
    for odd in islice(odds, 0, None, EVERY):
        began = time.monotonic()
        try:
            heard = wire.ask(odd)
        except OSError as error:
            seen.broken.append(f"{error!r}: {odd}")
            wire.close()
            continue
        seen.note(odd, heard, time.monotonic() - began)
        count += 1
    wire.close()
    assert seen.broken == [], f"{len(seen.broken)} of {count}"
    return count


# --- the requests


def test_odd_values_in_every_documented_operation(
    cluster: Cluster, document: dict[str, Any], ids: dict[str, str], seen: Seen
) -> None:
    count = ask_all(Wire(cluster.port, cluster.key), odd_requests(document, ids), seen)
    assert count > 10_000 // EVERY
    assert set(seen.statuses) == {(m.upper(), path) for path, calls in document["paths"].items() for m in calls}


def test_odd_headers_files_and_pages(cluster: Cluster, ids: dict[str, str], seen: Seen) -> None:
    wire = Wire(cluster.port, cluster.key)
    for odds in (odd_headers(ids["media_id"]), odd_forms(), odd_files(), odd_pages()):
        assert ask_all(wire, odds, seen) > 20


def test_odd_calls_that_are_handed_on_to_graph(cluster: Cluster, seen: Seen) -> None:
    assert ask_all(Wire(cluster.port, cluster.key), odd_graph_calls(SANDBOX), seen) > 1000 // EVERY


def test_odd_calls_to_the_emulator(cluster: Cluster, seen: Seen) -> None:
    wire = Wire(cluster.sandbox_port, "sandbox-token")
    for odds in (odd_graph_calls(CONTROL), odd_graph_queries()):
        assert ask_all(wire, odds, seen) > 1000 // EVERY
    cluster.sandbox.delete("/_sandbox/rules")


def test_odd_notifications_are_taken_and_the_owner_reads_on(cluster: Cluster, seen: Seen) -> None:
    assert ask_all(Wire(cluster.port, cluster.key), odd_notifications(), seen) > 300 // EVERY
    until(
        lambda: cluster.all_pages("/v1/notifications", state="new") == [],
        "every notification was read",
        within_s=60,
        every_s=0.5,
    )


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_requests_made_of_the_schemas(
    cluster: Cluster, document: dict[str, Any], seen: Seen, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_dict(document)
    session = requests.Session()
    session.headers["authorization"] = f"Bearer {cluster.key}"
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in STREAMS:
            continue  # they have no end; the other tests open them

        @settings(
            max_examples=4 if EVERY > 1 else 40,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            if case.query and "wait_s" in case.query:
                case.query["wait_s"] = "0"  # a long poll waits, as it should
            began = time.monotonic()
            answer = case.call(base_url=f"http://127.0.0.1:{cluster.port}", session=session, timeout=30)
            odd = Odd((case.method.upper(), case.operation.path), answer.request.url, answer.request.body or b"")
            seen.note(odd, Heard(answer.status_code, answer.content), time.monotonic() - began)

        with suppress(Unsatisfiable):  # nothing about this operation can be wrong
            ask()
    assert seen.broken == []


# --- what was heard


def test_every_status_that_was_heard_is_documented(document: dict[str, Any], seen: Seen) -> None:
    if not seen.statuses:
        pytest.skip("it speaks of the requests of the tests above")
    missing = {
        f"{method} {path}: {status}"
        for (method, path), statuses in seen.statuses.items()
        if path in document["paths"]
        for status in statuses
        if not is_documented(document["paths"][path][method.lower()]["responses"], status)
    }
    assert missing == set(), "add them to the operation in blueprints/openapi/"


def is_documented(responses: dict[str, Any], status: int) -> bool:
    return str(status) in responses or f"{status // 100}XX" in responses


def test_the_run_reached_what_lies_behind_the_checks(seen: Seen) -> None:
    """A fuzz run whose key is refused finds nothing."""
    if not seen.statuses:
        pytest.skip("it speaks of the requests of the tests above")
    reached = {operation for operation, statuses in seen.statuses.items() if any(one < 300 for one in statuses)}
    assert len(reached) > len(seen.statuses) // 2, json.dumps(sorted(map(" ".join, set(seen.statuses) - reached)))
