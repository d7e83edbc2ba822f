"""Every failure as RFC 9457 ``application/problem+json``: the one place where HTTP numbers are decided.

Process: worker.
"""

import logging
from typing import Any, Final

from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import MethodNotAllowed, NotFound, SanicException

from config.errors import PanalError, PlatformRefused, RequestRefused, Unavailable
from config.log_throttle import LogThrottle
from config.printable import json_of

log = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"

_STATUS_OF_CODE: Final = {
    "invalid_json": 400,
    "not_authenticated": 401,
    "bad_signature": 401,
    "not_permitted": 403,
    "number_forbidden": 403,
    "bad_verify_token": 403,
    "not_found": 404,
    "idempotency_conflict": 409,
    "idempotency_in_progress": 409,
    "wrong_state": 409,
    "secret_unreadable": 409,
    "body_too_large": 413,
    "invalid_form": 400,
    "range_not_satisfiable": 416,
    "batch_too_large": 413,
    "unsupported_media_type": 415,
    "too_many_requests": 429,
    "too_many_connections": 429,
    "storage_full": 507,
}

_TITLES: Final = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not permitted",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timed out",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    416: "Range not satisfiable",
    417: "Expectation failed",
    422: "Not valid",
    426: "Upgrade required",
    429: "Too many requests",
    500: "Internal error",
    502: "WhatsApp refused",
    503: "Temporarily unavailable",
    507: "Storage full",
}

_TOLD_ONCE: Final = frozenset({"storage_full"})
"""Where it is found it is told in the log once: it would be the same line for every request."""

DEFAULT_RETRY_S: Final = 1


def status_of(error: PanalError) -> int:
    """The HTTP status of one of our errors."""
    if error.code in _STATUS_OF_CODE:
        return _STATUS_OF_CODE[error.code]
    if isinstance(error, RequestRefused):
        return 422
    if isinstance(error, PlatformRefused):
        return 502
    if isinstance(error, Unavailable):
        return 503
    return 500


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> HTTPResponse:
    """A problem document. ``errors`` has path and reason of every fault; ``extra`` are further public members."""
    body: dict[str, Any] = {
        "type": f"/docs/errors#{code}",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": errors or [],
        "request_id": str(request.id),
        **(extra or {}),
    }
    return HTTPResponse(json_of(body), status=status, headers=headers, content_type=CONTENT_TYPE)


def log_failed(request: Request, error: PanalError, *, left_out: int) -> None:
    """One line for a request that failed through no fault of its caller; ``left_out`` others were alike."""
    more = {"left_out": left_out} if left_out else {}
    log.warning("%s", error, extra={"action": "request.failed", "code": error.code, "path": request.path, **more})


def setup_errors(app: Sanic[Any, Any]) -> None:
    """Render every exception of a handler, and Sanic's own, as a problem."""
    # Overload and a database that is away answer thousands of requests alike: the log must not be the next bottleneck.
    throttle = LogThrottle()

    @app.exception(PanalError)
    async def on_panal_error(request: Request, error: PanalError) -> HTTPResponse:
        status = status_of(error)
        headers = {}
        if status in (429, 503) or error.retry_after_s is not None:
            headers["retry-after"] = str(max(1, round(error.retry_after_s or DEFAULT_RETRY_S)))
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        if status >= 500 and error.code not in _TOLD_ONCE and (left_out := throttle.allow(error.code)) is not None:
            log_failed(request, error, left_out=left_out)
        extra: dict[str, Any] = {"may_retry": error.may_retry}
        if "graph_code" in error.extra:
            extra["graph_code"] = error.extra["graph_code"]
        faults = [{"path": fault.path, "reason": fault.reason} for fault in error.faults]
        return problem(request, status, error.code, error.text, errors=faults, extra=extra, headers=headers)

    @app.exception(NotFound)
    async def on_not_found(request: Request, _: NotFound) -> HTTPResponse:
        return problem(request, 404, "no_such_path", "There is nothing at this path. See /docs.")

    @app.exception(MethodNotAllowed)
    async def on_wrong_method(request: Request, error: MethodNotAllowed) -> HTTPResponse:
        headers = {"allow": error.headers.get("Allow", "")} if error.headers else {}
        return problem(request, 405, "method_not_allowed", f"{request.method} is not possible here.", headers=headers)

    @app.exception(SanicException)
    async def on_sanic_error(request: Request, error: SanicException) -> HTTPResponse:
        status = error.status_code or 500
        code = {413: "body_too_large", 408: "request_timeout", 503: "unavailable"}.get(status, f"http_{status}")
        headers = {"retry-after": str(DEFAULT_RETRY_S)} if status in (429, 503) else {}
        detail = str(error) if status < 500 else "The server could not do this."
        if status >= 500:
            log.error("%r", error, extra={"action": "request.failed", "path": request.path}, exc_info=error)
        return problem(request, status, code, detail, headers=headers)

    @app.exception(Exception)
    async def on_bug(request: Request, error: Exception) -> HTTPResponse:
        log.error("A handler failed.", extra={"action": "request.bug", "path": request.path}, exc_info=error)
        return problem(request, 500, "internal", PanalError.default_text)
