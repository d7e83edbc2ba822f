"""Failures of the drop-in as Graph tells them: clients key on `error.code`."""

import uuid
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from sanic import Request

from blueprints.cloud_api.errors import graph_error
from config.errors import Fault, PanalError, RequestRefused, Unavailable
from services.cloud_api import GraphFault, no_token, unknown_object
from services.graph import GraphRefused, GraphUnknown, classify
from services.keys import NotPermitted
from services.messages import ContentFault, ContentRefused
from services.store import StorageFull

REQUEST = cast(
    Request,
    SimpleNamespace(id=uuid.UUID(int=7), method="GET", path="/v23.0/123", match_info={"node": "123"}),
)


def told(error: PanalError) -> tuple[int, dict[str, Any], dict[str, str]]:
    answer = graph_error(REQUEST, error)
    return answer.status, orjson.loads(answer.body or b"")["error"], dict(answer.headers)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (no_token(), 401, 104),
        (RequestRefused("x", code="not_authenticated"), 401, 190),
        (NotPermitted("x"), 403, 200),
        (unknown_object("123", "GET"), 400, 100),
        (RequestRefused("x", code="not_found"), 400, 100),
        (RequestRefused("x", code="unknown_number"), 400, 100),
        (RequestRefused("x", code="number_forbidden"), 400, 100),
        (RequestRefused("x", code="window_closed", extra={"graph_code": 131047}), 400, 131047),
        (RequestRefused("x", code="opted_out", extra={"graph_code": 131050}), 400, 131050),
        (RequestRefused("x", code="too_many_requests"), 400, 4),
        (RequestRefused("x"), 400, 100),
        (ContentRefused([ContentFault("text.body", "must not be empty", 100)]), 400, 100),
        (ContentRefused([ContentFault("template.name", "x", 132001)]), 404, 132001),
        (ContentRefused([ContentFault("x", "x", 132000)]), 400, 132000),
        (Unavailable(), 503, 2),
        (StorageFull(), 503, 2),
        (GraphUnknown(), 500, 1),
        (PanalError(), 500, 1),
        (GraphFault(2200, message="(#2200) Callback verification failed"), 400, 2200),
    ],
)
def test_each_failure_has_metas_code_and_status(error: PanalError, status: int, code: int) -> None:
    found = told(error)
    assert (found[0], found[1]["code"]) == (status, code)
    assert found[1]["message"]
    assert found[1]["type"] in ("OAuthException", "GraphMethodException")
    assert found[1]["fbtrace_id"] == found[2]["x-fb-trace-id"]


def test_an_unknown_id_is_metas_own_sentence() -> None:
    for error in (unknown_object("123", "GET"), RequestRefused("x", code="not_found")):
        _, body, _ = told(error)
        assert body["error_subcode"] == 33
        assert body["type"] == "GraphMethodException"
        assert body["message"].startswith("Unsupported get request. Object with ID '123' does not exist")


def test_every_faulty_path_is_named() -> None:
    _, body, _ = told(RequestRefused("x", faults=[Fault("a", "is wrong"), Fault("b", "is missing")]))
    assert body["error_data"] == {"messaging_product": "whatsapp", "details": "a: is wrong; b: is missing"}


def test_what_may_pass_says_when_to_come_back() -> None:
    _, body, headers = told(Unavailable(retry_after_s=7))
    assert body["is_transient"] is True
    assert headers["retry-after"] == "7"


def test_metas_own_refusal_passes_through() -> None:
    error = GraphRefused(
        classify(100, 2388024), http_status=400, title="Invalid parameter", details="there is one", subcode=2388024,
        fbtrace_id="Abc",
    )  # fmt: skip
    status, body, _ = told(error)
    assert (status, body["code"], body["error_subcode"], body["fbtrace_id"]) == (400, 100, 2388024, "Abc")
    assert body["message"] == "(#100) Invalid parameter"
    assert body["error_data"]["details"] == "there is one"


def test_nothing_of_the_operators_detail_gets_out() -> None:
    for error in (
        Unavailable(detail="mongodb://user:pass@host"),
        PanalError(detail="secret"),
        GraphUnknown(detail="secret"),
    ):
        assert b"secret" not in (graph_error(REQUEST, error).body or b"")
        assert b"pass@" not in (graph_error(REQUEST, error).body or b"")
