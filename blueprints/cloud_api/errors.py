"""Failures of the drop-in in Graph's envelope, with Meta's HTTP statuses: clients key on ``error.code``.

Process: worker.
"""

import base64
import logging
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sanic import Blueprint, HTTPResponse, Request
from sanic.exceptions import SanicException

from blueprints.errors import log_failed
from config.errors import PanalError, RequestRefused, Unavailable
from config.log_throttle import LogThrottle
from config.printable import json_of
from services.cloud_api import AnswerWithheld, GraphFault, unknown_object
from services.graph import CodeRule, GraphRefused, classify
from services.store import StorageFull

log = logging.getLogger(__name__)

INVALID: Final = 100
_CODE_OF: Final = {
    "not_authenticated": 190,
    "not_permitted": 200,
    "too_many_requests": 4,
    "window_closed": 131047,
    "opted_out": 131050,
}
_NOT_HERE: Final = frozenset({"not_found", "unknown_number", "number_forbidden"})
_CONFLICTS: Final = {"idempotency_conflict": 100, "idempotency_in_progress": 2}
"""Meta has no Idempotency-Key, so it has no code for these: 409 says what they are."""
_PURE_GRAPH: Final = frozenset({104, 190})
_PARSE_FAILED: Final = "Invalid OAuth access token - Cannot parse access token"
_TOLD_REASONS: Final = frozenset({"path_refused", "override_refused", "answer_withheld"})
"""Our own reasons: Graph has no code for them, so ``error_data.reason`` says which it is."""
OVERLOADED: Final = 2
UNKNOWN: Final = 1
DEFAULT_RETRY_S: Final = 1


@dataclass(frozen=True, slots=True)
class _Graph:
    """One error as Graph would tell it."""

    rule: CodeRule
    code: int
    details: str | None
    message: str | None = None
    subcode: int | None = None
    kind: str = "OAuthException"
    http_status: int | None = None
    trace_id: str | None = None


def setup_graph_errors(bp: Blueprint) -> None:
    """Render every exception of this blueprint's handlers in Graph's form."""
    throttle = LogThrottle()

    async def on_panal_error(request: Request, error: PanalError) -> HTTPResponse:
        is_told = not isinstance(error, RequestRefused | StorageFull)
        if is_told and (left_out := throttle.allow(error.code)) is not None:
            log_failed(request, error, left_out=left_out)
        return graph_error(request, error)

    async def on_sanic_error(request: Request, error: SanicException) -> HTTPResponse:
        if (error.status_code or 500) < 500:
            return graph_error(request, RequestRefused(str(error)))
        log.error("%r", error, extra={"action": "request.failed", "path": request.path}, exc_info=error)
        return graph_error(request, Unavailable())

    async def on_bug(request: Request, error: Exception) -> HTTPResponse:
        log.error("A handler failed.", extra={"action": "request.bug", "path": request.path}, exc_info=error)
        return graph_error(request, PanalError())

    # Called, not written as decorators: Sanic's has no type for a blueprint.
    bp.exception(PanalError)(on_panal_error)
    bp.exception(SanicException)(on_sanic_error)
    bp.exception(Exception)(on_bug)


def graph_error(request: Request, error: PanalError) -> HTTPResponse:
    """The answer for a failure: ``{"error": {message, type, code, error_data, error_subcode, fbtrace_id}}``.

    Source: Meta, "Error codes" (2026-09-11); HTTP statuses of its 2025 edition, in the table of services/graph.
    """
    told = _told(request, error)
    trace_id = told.trace_id or _trace_id(request)
    title = told.rule.title
    words = told.message or (title if told.code in _PURE_GRAPH else f"(#{told.code}) {title}")
    body: dict[str, Any] = {"message": words, "type": told.kind, "code": told.code}
    if told.details:
        body["error_data"] = {"messaging_product": "whatsapp", "details": told.details}
        if error.code in _TOLD_REASONS:
            body["error_data"]["reason"] = error.code
    if told.subcode is not None:
        body["error_subcode"] = told.subcode
    headers = {"x-fb-trace-id": trace_id}
    if isinstance(error, Unavailable) or error.retry_after_s is not None:
        body["is_transient"] = True
        headers["retry-after"] = str(max(1, round(error.retry_after_s or DEFAULT_RETRY_S)))
    body["fbtrace_id"] = trace_id
    status = told.http_status or told.rule.http_status
    return HTTPResponse(json_of({"error": body}), status=status, headers=headers, content_type="application/json")


def _told(request: Request, error: PanalError) -> _Graph:
    if isinstance(error, GraphFault):
        rule = classify(error.graph_code, error.subcode)
        return _Graph(rule, error.graph_code, error.details, error.message, error.subcode, error.kind)
    if isinstance(error, GraphRefused) and error.graph_code is not None:
        words = error.title if error.graph_code in _PURE_GRAPH else f"(#{error.graph_code}) {error.title}"
        return _Graph(
            error.rule, error.graph_code, error.details, words, error.subcode,
            http_status=error.http_status, trace_id=error.fbtrace_id,
        )  # fmt: skip
    details = "; ".join(f"{fault.path}: {fault.reason}" if fault.path else fault.reason for fault in error.faults)
    known = error.extra.get("graph_code")
    if isinstance(known, int):
        return _Graph(classify(known), known, details or error.text)
    if error.code in _NOT_HERE:
        return _told(request, unknown_object(str(request.match_info.get("node", "")), request.method))
    code = _CODE_OF.get(error.code)
    if code is not None:
        if code == 190:
            return _Graph(classify(code), code, None, _PARSE_FAILED)
        return _Graph(classify(code), code, error.text)
    if error.code in _CONFLICTS:
        code = _CONFLICTS[error.code]
        return _Graph(classify(code), code, error.text, http_status=409)
    if isinstance(error, Unavailable):
        return _Graph(classify(OVERLOADED), OVERLOADED, error.text, http_status=503)
    if isinstance(error, AnswerWithheld):
        return _Graph(classify(UNKNOWN), UNKNOWN, error.text, http_status=502)
    if isinstance(error, RequestRefused):
        return _Graph(classify(INVALID), INVALID, details or error.text)
    return _Graph(classify(UNKNOWN), UNKNOWN, None, http_status=500)


def _trace_id(request: Request) -> str:
    """Like Meta's: an A and letters. Ours is the request's id, so that the log can be asked for it."""
    raw = request.id.bytes if isinstance(request.id, UUID) else str(request.id).encode()
    return "A" + base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
