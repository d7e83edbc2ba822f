"""The API reference says what the code does: every route, every scope, every shape, every kind of event."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from inspect import getclosurevars
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from sanic import Sanic

import blueprints
from blueprints.cloud_api.edges import EDGES
from blueprints.contacts import contact_json
from blueprints.error_catalogue import CATALOGUE
from blueprints.openapi import OPERATIONS, Operation, build_document, document_bytes
from blueprints.openapi.contacts import CONTACT_SCHEMAS
from blueprints.openapi.events import EVENT_TYPES
from blueprints.openapi.schemas import SCHEMAS
from blueprints.rendering import accepted_json, conversation_json, json_response, message_json, refused_json
from config.capacity import CapacityInputs, plan
from config.errors import RequestRefused
from services.contacts import ConsentCategory, ConsentEntry, Contact
from services.contacts.records import ConsentStatus
from services.conversations import Conversation
from services.events.wire import event_json
from services.keys import Scope
from services.messages import Direction, Message, MessageStatus, TimelineEntry, parse_send_request
from services.messages.requests import _OWN
from services.store import Event

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def app() -> Iterator[Sanic[Any, Any]]:
    app = Sanic("panal-reference-test")
    for blueprint in blueprints.ALL:
        app.blueprint(blueprint)
    yield app
    Sanic.unregister_app(app)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build_document()


STREAMS = frozenset({"/v1/events/stream", "/v1/events/ws"})
"""They look at the key before the handshake, in a step of their own."""


def is_page(path: str) -> bool:
    """For people: the reference itself, and the console with what only its own pages call."""
    return path.startswith(("/docs", "/console"))


def is_cloud_api(path: str) -> bool:
    """Few routes carry every call of the Cloud API; its own table says which edges there are."""
    return path.startswith(("/{node}", "/{version}", "/{session}", "/oauth/"))


def routes_of(app: Sanic[Any, Any]) -> Iterator[tuple[str, str, Any]]:
    for route in app.router.routes:
        path = "/" + re.sub(r"<(\w+)(:[^>]*)?>", r"{\1}", route.path).rstrip("/")
        for method in route.methods:
            yield method, path, route.handler


# --- it is complete


def test_every_route_is_in_the_reference_and_nothing_else(app: Sanic[Any, Any]) -> None:
    served = {(method, path) for method, path, _ in routes_of(app) if not is_page(path) and not is_cloud_api(path)}
    documented = {(operation.method, operation.path) for operation in OPERATIONS if not is_cloud_api_call(operation)}
    assert not served - documented, "add them to their noun's table in blueprints/openapi/"
    assert not documented - served, "take them out of blueprints/openapi/: there is no such route"


def is_cloud_api_call(operation: Operation) -> bool:
    return operation.path.startswith("/{version}/")


def test_every_call_that_the_drop_in_does_itself_is_in_the_reference() -> None:
    documented = {(operation.method, operation.path.split("/", 3)[-1]) for operation in OPERATIONS}
    assert EDGES.keys() <= documented, "add them to blueprints/openapi/cloud_api.py"


def test_each_call_names_the_scope_that_it_really_needs(app: Sanic[Any, Any]) -> None:
    handlers = {(method, path): handler for method, path, handler in routes_of(app)}
    for operation in OPERATIONS:
        if is_cloud_api_call(operation) or operation.path in STREAMS:
            continue  # its handlers ask for the scope themselves
        scope = getclosurevars(handlers[operation.method, operation.path]).nonlocals.get("scope")
        assert scope == operation.scope, operation.id


def test_every_scope_that_is_named_is_one_of_ours(document: dict[str, Any]) -> None:
    named = {
        call["x-required-scope"]
        for path in document["paths"].values()
        for call in path.values()
        if "x-required-scope" in call
    }
    assert named <= {scope.value for scope in Scope}


def test_operation_ids_and_routes_are_unique() -> None:
    assert len({operation.id for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)


def test_path_parameters_are_those_of_the_path() -> None:
    for operation in OPERATIONS:
        named = {parameter.name for parameter in operation.parameters if parameter.where == "path"}
        assert named == set(re.findall(r"{(\w+)}", operation.path)), operation.id


def test_every_event_that_is_written_is_explained() -> None:
    written = {event for path in sorted((ROOT / "services").rglob("*.py")) for event in events_in(path)}
    assert written <= EVENT_TYPES.keys(), "explain them in blueprints/openapi/events.py"


def events_in(path: Path) -> Iterator[str]:
    """Names of events: in calls that make facts, in choices between two, and where a projection asks for one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            found = node.args[:3] if name in ("Fact", "message_fact", "_move") else []
        elif isinstance(node, ast.Compare) and getattr(node.left, "attr", "") == "type":
            found = node.comparators
        elif isinstance(node, ast.IfExp):
            found = [node.body, node.orelse]
        for value in found:
            if isinstance(value, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(value.value)):
                yield str(value.value)


def test_the_walk_over_events_finds_them() -> None:
    found = {event for path in (ROOT / "services").rglob("*.py") for event in events_in(path)}
    assert {"message.sent", "message.received", "conversation.opened", "number.connected"} <= found


# --- it is valid


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    faults = [fault.message for fault in OpenAPIV31SpecValidator(document).iter_errors()]
    assert faults == []


def test_the_document_is_served_as_it_is_built(document: dict[str, Any]) -> None:
    assert orjson.loads(document_bytes()) == document


def test_every_example_has_the_shape_it_stands_under(document: dict[str, Any]) -> None:
    count = 0
    for where, media in media_of(document):
        for name, example in media.get("examples", {}).items():
            count += 1
            assert faults_of(document, media["schema"], example["value"]) == [], f"{where}: {name}"
    assert count > 50


def media_of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            contents = [call.get("requestBody", {}), *call["responses"].values()]
            for content in contents:
                for media in content.get("content", {}).values():
                    yield f"{method} {path}", media


def faults_of(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": document["components"]}
    return [fault.message for fault in Draft202012Validator(whole).iter_errors(value)]


def test_every_problem_points_to_its_explanation(document: dict[str, Any]) -> None:
    for operation in OPERATIONS:
        for answer in document["paths"][operation.path][operation.method.lower()]["responses"].values():
            for name, example in (
                answer.get("content", {}).get("application/problem+json", {}).get("examples", {}).items()
            ):
                assert name in CATALOGUE
                assert example["value"]["type"] == f"/docs/errors#{name}"


# --- it is true


def rendered(value: Any) -> Any:
    return orjson.loads(json_response(value).body)


AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
OUTBOUND = Message(
    id="msg_1",
    order=1,
    direction=Direction.OUT,
    phone_number_id="106540352242922",
    kind="text",
    payload={"type": "text", "text": {"body": "Hola"}},
    status=MessageStatus.FAILED,
    created_at=AT,
    to="16505551234",
    context_wamid="wamid.x",
    error={"code": 131026, "title": "Message undeliverable", "next_step": "Ask."},
    timeline=(TimelineEntry(MessageStatus.SENDING, AT, 2, {"attempt": 1}),),
)
INBOUND = Message(
    id="msg_2",
    order=2,
    direction=Direction.IN,
    phone_number_id="106540352242922",
    kind="text",
    payload={"text": {"body": "Hola"}},
    status=MessageStatus.RECEIVED,
    created_at=AT,
    from_wa_id="16505551234",
    from_user_id="US.1",
    wamid="wamid.y",
)
CONVERSATION = Conversation(
    id="cnv_1",
    phone_number_id="106540352242922",
    wa_id="16505551234",
    user_id=None,
    name="Ana",
    created_at=AT,
    activity=1,
    last_inbound_at=AT,
    last_outbound_at=None,
    unread_count=0,
    is_open=True,
    preview=None,
)
CONSENT = ConsentEntry(ConsentCategory.MARKETING, ConsentStatus.OUT, AT, "api", {"text": "asked"})
CONTACT = Contact(
    id="con_1",
    key="wa:16505551234",
    wa_id="16505551234",
    user_id=None,
    name="Ana",
    profile_name=None,
    username=None,
    attributes={"city": "Sevilla"},
    labels=("vip",),
    numbers=("106540352242922",),
    opted_out=ConsentCategory.MARKETING,
    consent={ConsentCategory.MARKETING: CONSENT},
    history=(CONSENT,),
    order=1,
    created_at=AT,
    updated_at=AT,
)
EVENT = Event("evt_1", "106540352242922", 1, "message.sent", AT, {"message_id": "msg_1"})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("AcceptedMessage", rendered(accepted_json(OUTBOUND))),
        ("Message", rendered(message_json(OUTBOUND))),
        ("Message", rendered(message_json(INBOUND, has_timeline=False))),
        ("Conversation", rendered(conversation_json(CONVERSATION))),
        ("Event", rendered(event_json(EVENT))),
        ("RefusedMessage", rendered(refused_json(RequestRefused(extra={"graph_code": 100})))),
        ("Contact", rendered(contact_json(CONTACT, has_history=True))),
    ],
)
def test_what_is_rendered_has_exactly_the_documented_properties(
    document: dict[str, Any], schema: str, value: dict[str, Any]
) -> None:
    assert faults_of(document, {"$ref": f"#/components/schemas/{schema}"}, value) == []
    known = {**SCHEMAS, **CONTACT_SCHEMAS}[schema]["properties"]
    extra = value.keys() - known.keys() - {"text"}
    assert not extra, f"add them to {schema} in blueprints/openapi/schemas.py"


def test_the_plan_has_exactly_the_documented_figures(document: dict[str, Any]) -> None:
    found = plan(CapacityInputs(cpus=4, cpu_source="given", memory_mb=8192))
    value = rendered(found.as_dict())
    assert value.keys() == document["components"]["schemas"]["Plan"]["properties"].keys()
    assert faults_of(document, {"$ref": "#/components/schemas/Plan"}, value) == []


def test_every_field_of_ours_in_a_message_to_send_is_documented(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["SendRequest"]["properties"].keys() >= _OWN


def test_every_example_of_a_message_to_send_is_taken() -> None:
    (operation,) = [operation for operation in OPERATIONS if operation.id == "send_message"]
    assert operation.body is not None
    for example in operation.body.examples:
        parse_send_request(example.value, now=AT)


@pytest.mark.parametrize(
    "order",
    [
        {"to": "16505551234", "text": {"body": ""}},
        {"to": "16505551234", "text": {"body": "x" * 4097}},
        {"to": "16505551234", "type": "telegram"},
        {"to": {"$ne": None}, "text": {"body": "x"}},
        {"to": "16505551234", "text": {"body": "x"}, "on_uncertain": "guess"},
    ],
)
def test_what_the_server_refuses_the_schema_refuses(document: dict[str, Any], order: dict[str, Any]) -> None:
    assert faults_of(document, {"$ref": "#/components/schemas/SendRequest"}, order) != []
