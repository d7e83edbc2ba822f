"""The database hangs: its connections stay open and nothing is answered. Nobody waits for it longer than a moment.

Both ways: its process is stopped (new connections open, since the kernel does that), or the line to it is a black hole.
"""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.externals import DatabaseServer
from tests.harness.line import Line
from tests.harness.slack import slack
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

WORKERS = 4
PHONE = "12025550123"
HEALTH_S = 2.0
"""The health calls, each of them, from the first moment on."""
FOUND_OUT_S = 4.0
"""Whatever waits for the database: 2 s of silence, a question of 1 s, and a margin."""
REFUSED_S = 1.0
"""Once it is known."""
HEALTH = (
    "/livez",
    "/readyz",
    "/metrics",
    "/v1/cluster",
    "/v1/capacity",
    "/console/health",
    "/console",
    "/console/cluster",
)
NEEDS_DATABASE = {"/v1/messages", "/v1/conversations", "/v1/contacts", "/v1/campaigns", "/v1/templates", "/v1/keys"}
BESIDE = ("/console/session", "/console/agents", "/console/history", "/console/tails", "/console/latest-events")


@dataclass(frozen=True)
class Outage:
    """How it begins, and how it ends."""

    begin: Callable[[], object]
    end: Callable[[], object]


@dataclass(frozen=True)
class Rig:
    cluster: Cluster
    outages: dict[str, Outage]


@dataclass(frozen=True)
class Answered:
    path: str
    status: int
    took_s: float
    headers: httpx.Headers
    text: str


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("hangs")
    with ExitStack() as stack:
        server = DatabaseServer(folder)
        server.start()
        stack.callback(server.stop)
        line = Line(server.port)
        line.start()
        stack.callback(line.stop)
        environment = {"PANAL_MONGODB_URI": line.uri, "PANAL_DB_SERVERS": "1", "PANAL_PAIR_BURST": "1000"}
        cluster = stack.enter_context(start_cluster(folder / "host", workers=WORKERS, environment=environment))
        cluster.write_as_customer(PHONE, "hola")
        until(lambda: cluster.all_pages("/v1/conversations"), "the conversation is open")

        def silent(is_silent: bool) -> None:
            line.is_silent = is_silent

        outages = {
            "stopped": Outage(server.pause, server.resume),
            "black hole": Outage(lambda: silent(True), lambda: silent(False)),
        }
        yield Rig(cluster, outages)


def ask(cluster: Cluster, method: str, path: str, **more: Any) -> Answered:
    """One request on a connection of its own, so that any worker may get it; the head of a stream is its answer."""
    headers = {"authorization": f"Bearer {cluster.key}", **more.pop("headers", {})}
    began = time.monotonic()
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{cluster.port}", headers=headers, timeout=30) as client,
        client.stream(method, path, **more) as answer,
    ):
        is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
        took_s = time.monotonic() - began
        text = "" if is_stream else answer.read().decode("utf-8", "replace")
        return Answered(
            path, answer.status_code, took_s if is_stream else time.monotonic() - began, answer.headers, text
        )


def send(cluster: Cluster, key: str) -> Answered:
    body = {"to": PHONE, "type": "text", "text": {"body": f"once {key}"}}
    return ask(cluster, "POST", "/v1/messages", json=body, headers={"idempotency-key": key})


def all_paths(cluster: Cluster) -> list[str]:
    """Every GET of the API reference, with something in the place of each parameter, and what stands beside it."""
    documented = cluster.client.get("/openapi.json").json()["paths"]
    paths = {re.sub(r"\{[^}]*\}", "1", path) for path, item in documented.items() if "get" in item}
    return sorted(paths | set(HEALTH) | set(BESIDE))


def walk(cluster: Cluster, paths: list[str]) -> list[Answered]:
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(lambda path: ask(cluster, "GET", path), paths))


def watch(cluster: Cluster, key: str) -> list[Answered]:
    """The views that need a key, with one that no worker has seen."""
    headers = {"authorization": f"Bearer {key}"}
    with ThreadPoolExecutor(16) as pool:
        return list(
            pool.map(lambda path: ask(cluster, "GET", path, headers=headers), ["/v1/cluster", "/v1/capacity"] * WORKERS)
        )


def too_slow(answers: list[Answered], bound_s: float) -> list[str]:
    bound_s *= slack()
    return [f"{one.path}: {one.took_s:.2f} s" for one in answers if one.took_s > bound_s]


@pytest.mark.parametrize("how", ["stopped", "black hole"])
def test_nobody_waits_for_a_database_that_hangs_and_nothing_is_lost(rig: Rig, how: str) -> None:
    cluster, outage = rig.cluster, rig.outages[how]
    paths = all_paths(cluster)
    assert NEEDS_DATABASE <= set(paths)
    for number in range(4 * WORKERS):  # every worker knows the key, the number and the window, as a busy one does
        assert send(cluster, f"warm {how} {number}").status == 202
    workers = cluster.worker_pids()
    watcher = cluster.client.post("/v1/keys", json={"name": f"watcher {how}", "scopes": ["cluster:read"]}).json()["key"]
    outage.begin()
    try:
        with ThreadPoolExecutor(1) as beside:
            sent = beside.submit(lambda: [send(cluster, f"{how} {number}") for number in range(3)])
            watched = watch(cluster, watcher)
            first = walk(cluster, [*HEALTH * 4, *paths])
            accepted = sent.result()
        second = walk(cluster, [*HEALTH * 4, *paths])
        again = [send(cluster, f"{how} later {number}") for number in range(3)]
        sign_in = ask(cluster, "POST", "/console/session", json={"key": "no key of ours"}, headers=own_page(cluster))
        readiness = [ask(cluster, "GET", "/readyz") for _ in range(WORKERS)]
    finally:
        outage.end()
    assert not too_slow(watched, HEALTH_S)
    assert {one.status for one in watched} == {503}, "nobody knows this key"
    health = [one for one in [*first, *second] if one.path in HEALTH]
    assert not too_slow(health, HEALTH_S)
    assert not too_slow([*first, *accepted], FOUND_OUT_S)
    assert not too_slow([*second, *again, sign_in], REFUSED_S)
    assert {one.status for one in health if one.path not in ("/readyz",)} == {200}
    for one in [*first, *second]:
        assert one.status < 500 or (one.status == 503 and int(one.headers["retry-after"]) >= 1), one
    assert {one.status for one in second if one.path in NEEDS_DATABASE} == {503}
    assert {one.status for one in readiness} == {503}
    assert all("Not heard" in one.text or "has not answered" in one.text for one in readiness)
    assert {one.status for one in [*accepted, *again, sign_in]} == {503}
    assert all(int(one.headers["retry-after"]) >= 1 for one in [*accepted, *again])
    nothing_is_lost_and_nothing_twice(cluster, [f"{how} {number}" for number in range(3)])
    assert cluster.worker_pids() == workers, "no process is killed for the database's sake"


def nothing_is_lost_and_nothing_twice(cluster: Cluster, keys: list[str]) -> None:
    """A client without an answer asks again with the same key: one message each, however the first try ended."""
    until(lambda: cluster.client.get("/readyz").status_code == 200, "ready again", within_s=15 * slack())
    until(lambda: all(send(cluster, key).status == 202 for key in keys), "accepted", within_s=15 * slack())
    ids = {key: {orjson_id(send(cluster, key)) for _ in range(2)} for key in keys}
    assert all(len(found) == 1 for found in ids.values())
    wanted = {f"once {key}" for key in keys}
    until(
        lambda: wanted <= set(bodies(cluster)),
        "each is at the phone",
        within_s=20 * slack(),
        context=lambda: told(cluster),
    )
    assert [body for body in bodies(cluster) if body in wanted and bodies(cluster).count(body) > 1] == []


def told(cluster: Cluster) -> str:
    """For a failure: what became of the messages that are not at the phone."""
    rest = [one for one in cluster.all_pages("/v1/messages", direction="out") if one["status"] in ("queued", "held")]
    return f"{[(one['text'], one['status'], one.get('held_reason')) for one in rest]}\n{cluster.log[-3000:]}"


def orjson_id(answer: Answered) -> str:
    return str(httpx.Response(200, text=answer.text).json()["id"])


def bodies(cluster: Cluster) -> list[str]:
    return [one["text"]["body"] for one in cluster.phone(PHONE) if one["direction"] == "in" and one["type"] == "text"]


def own_page(cluster: Cluster) -> dict[str, str]:
    """What a browser says that has the console open."""
    return {"x-panal-console": "1", "sec-fetch-site": "same-origin"}


def test_a_message_in_flight_is_told_as_unknown_and_its_key_finds_it(rig: Rig) -> None:
    """All of them wait for the insert itself: keys, numbers and windows are known."""
    cluster, outage = rig.cluster, rig.outages["stopped"]
    for number in range(8 * WORKERS):
        assert send(cluster, f"known {number}").status == 202
    outage.begin()
    try:
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda number: send(cluster, f"in flight {number}"), range(12)))
    finally:
        outage.end()
    assert {one.status for one in answers} == {503}
    assert not too_slow(answers, FOUND_OUT_S)
    unknown = [one for one in answers if "Idempotency-Key" in one.text]
    assert unknown
    nothing_is_lost_and_nothing_twice(cluster, [f"in flight {number}" for number in range(12)])
