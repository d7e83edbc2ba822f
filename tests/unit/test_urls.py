"""Every URL that the documentation, the tests, the tools and the console name is one that somebody answers.

A path that nobody serves is answered, too: with 404, or by the drop-in, whose routes take any edge. So a test that asks
for one, and only looks for a failure, passes for ever.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from sanic import Sanic

import blueprints
from blueprints.cloud_api.edges import EDGES
from services.sandbox import app as sandbox_app
from services.sandbox.graph.routes import ROUTES as GRAPH_ROUTES
from services.sandbox.options import Options
from tests.harness.references import Reference, references_of

ROOT = Path(__file__).parents[2]
PLACES = ("README.md", "README.es.md", "docs", "render.yaml", "tests", "tools", "benchmarks", "blueprints/console")
TEXTS = {".md", ".py", ".js", ".mjs", ".html", ".sh", ".yaml", ".yml", ".json", ".php"}
FOREIGN = ("vendor", "node_modules", "peers", "package-lock.json", "test_urls.py")

MEANT_TO_BE_WRONG = frozenset(
    """
    /v1 /v1/nothing /v1/nowhere /v1//messages /v1/messages/a/b /v1/1/messages /v9/1/messages/
    /v2 /v23.0/*/no_such_edge /v23.0/1/2/3/4 /v23.0/1/2/messages
    /docs/swagger /docs/redoc /docs/openapi.json
    /console/% /console/no-such-page /console/a/%zz/b /console/assets/ /console/assets/none
    /v23.0/*/%73ettings /v23.0/*/%72egister /v23.0/1/x
    /v1/things/* /v1/things/ /v1/<node:v
    /console/% /console/no-such-page /console/a/%zz/b
    """.split()
)
"""Tests ask what the server makes of them."""

WRONG_METHODS = frozenset({("PUT", "/v1/messages"), ("PUT", "/v23.0/1/messages"), ("POST", "/livez")})


@dataclass(frozen=True)
class Served:
    """A route: a segment may be `*` for any one, or `**` for any number of them."""

    method: str
    segments: tuple[str, ...]


def route(method: str, path: str) -> Served:
    """`/v1/messages/<id:str>` of Sanic, `/_sandbox/phones/{wa_id}` of aiohttp."""
    path = re.sub(r"<\w+:path>", "**", path)
    path = re.sub(r"<[^>]*>|\{[^}]*\}", "*", path)
    return Served(method, tuple(path.strip("/").split("/")))


@pytest.fixture(scope="module")
def served() -> Iterator[list[Served]]:
    """Of the API, of the sandbox and of the Graph paths that the drop-in passes on."""
    app = Sanic("panal-urls-test")
    for blueprint in blueprints.ALL:
        app.blueprint(blueprint)
    ours = [route(method, f"/{one.path}") for one in app.router.routes for method in one.methods]
    Sanic.unregister_app(app)
    ours = [one for one in ours if one.segments[0] != "*" and one.segments != ("console", "**")]
    ours += [Served("GET", ("console", part)) for part in console_parts()]
    ours += [Served("GET", ("console", part, "*")) for part in console_parts()]
    control = sandbox_app.build(Options()).router.routes()
    ours += [route(one.method, one.resource.canonical) for one in control if one.resource and one.method != "*"]
    ours += [graph_route(method, edge) for method, edge in {*GRAPH_ROUTES, *EDGES}]
    return [*ours, Served("GET", ("v*.*",))]  # where a client of the Cloud API is pointed at


def graph_route(method: str, edge: str) -> Served:
    return Served(method, ("v*.*", "*", *filter(None, edge.split("/"))))


def console_parts() -> list[str]:
    """The pages of the console, by the table of its script."""
    script = (ROOT / "blueprints/console/scripts/shell.js").read_text(encoding="utf-8")
    found = re.findall(r"^  \{ id: '(\w+)'", script, re.MULTILINE)
    assert "inbox" in found
    return found


def answers(one: Served, reference: Reference) -> bool:
    return reference.method in ("", one.method) and fits(one.segments, segments_of(reference.path))


def segments_of(path: str) -> tuple[str, ...]:
    """What ends with a slash goes on with something that is known later."""
    return tuple(f"{path}*".strip("/").split("/") if path.endswith("/") else path.strip("/").split("/"))


def fits(route: Sequence[str], named: Sequence[str]) -> bool:
    if "**" in route:
        at = route.index("**")
        return len(named) > at and fits(route[:at], named[:at])
    pairs = zip(route, named, strict=False)
    return len(route) == len(named) and all(fnmatchcase(name, one) or fnmatchcase(one, name) for one, name in pairs)


def files(place: str) -> list[str]:
    found = [ROOT / place] if (ROOT / place).is_file() else sorted((ROOT / place).rglob("*"))
    names = [path.relative_to(ROOT) for path in found if path.suffix in TEXTS]
    return [str(name) for name in names if not set(FOREIGN) & set(name.parts)]


def faults_of(name: str, text: str, served: Sequence[Served]) -> list[str]:
    """One line for each URL that nobody answers and that is not meant so."""
    return [
        f"{name}:{one.line}: {one.method or 'any method'} {one.path}"
        for one in references_of(name, text)
        if not any(answers(route, one) for route in served)
        and one.path not in MEANT_TO_BE_WRONG
        and (one.method, one.path) not in WRONG_METHODS
    ]


@pytest.mark.parametrize("place", PLACES)
def test_every_url_is_served(served: list[Served], place: str) -> None:
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in files(place)}
    assert any(references_of(name, text) for name, text in texts.items()), "it names none: is it still there?"
    faults = [fault for name, text in texts.items() for fault in faults_of(name, text, served)]
    assert not faults, "nobody serves these:\n" + "\n".join(faults)


WRONG = [
    ("a.md", "| `GET /v1/webhook_endpoints/<id>` |", "GET /v1/webhook_endpoints/*"),
    ("a.md", "then `PUT /v1/messages/<id>`", "PUT /v1/messages/*"),
    ("a.md", 'curl -X PUT "$PANAL/v1/keys/$ID" -d 1', "PUT /v1/keys/*"),
    ("a.md", "see http://127.0.0.1:8000/v1/mesages?limit=1.", "any method /v1/mesages"),
    ("a.md", "open `/console/no-page`, ask `/_sandbox/phone/{wa_id}`", "any method /console/no-page"),
    ("a.md", "open <http://127.0.0.1:8000/console/no-page>", "any method /console/no-page"),
    ("a.md", "POST /v23.0/{NUMBER}/mesages", "POST /v23.0/*/mesages"),
    ("a.py", 'client.get("/v1/webhook_endpoints")', "GET /v1/webhook_endpoints"),
    ("a.py", 'client.request("PATCH", f"/v1/keys/{one[0]}")', "PATCH /v1/keys/*"),
    ("a.py", 'PATH = "/v1/key"\nclient.post(f"{PATH}/{id}")', "any method /v1/key"),
    ("a.py", 'sandbox.put(f"/_sandbox/phones/{wa_id}/messages")', "PUT /_sandbox/phones/*/messages"),
    ("a.py", 'write(b"GET /v1/message HTTP/1.1")', "GET /v1/message"),
    ("a.js", "post(`/v1/campaigns/${id}/begin`)", "POST /v1/campaigns/*/begin"),
    ("a.js", "const ROOT = '/v1/numbers';\nput(ROOT, {})", "PUT /v1/numbers"),
]
RIGHT = [
    ("a.md", "open <http://127.0.0.1:8000/console>, sign in"),
    (
        "a.md",
        "`GET /v1/messages/{id}`, http://127.0.0.1:8000/v1/messages?to=1, https://panal.example.com/console/keys.",
    ),
    ("a.md", 'curl "$PANAL/v1/messages/$ID" and docs/v1/x.md and POST /v23.0/<number>/messages, …'),
    ("a.py", 'client.get(f"/v1/conversations{query}")\ncluster.call("POST", f"/v1/contacts/{one[0]}/opt-out")'),
    ("a.js", "get(`/v1/conversations/${id}/messages${query({ limit: PAGE })}`); del(`/v1/keys/${key.id}`)"),
]


@pytest.mark.parametrize(("name", "text", "fault"), WRONG)
def test_a_wrong_url_is_found(served: list[Served], name: str, text: str, fault: str) -> None:
    assert fault in [line.split(": ", 1)[1] for line in faults_of(name, text, served)]


@pytest.mark.parametrize(("name", "text"), RIGHT)
def test_a_right_url_is_no_fault(served: list[Served], name: str, text: str) -> None:
    assert references_of(name, text)
    assert faults_of(name, text, served) == []
