"""One log line for each request: what it was, how it ended, how long it took. The log's own thread writes it.

Process: worker.
"""

import logging

from sanic import Request

from services.http_server.request_id import request_id_of

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""Polled every few seconds by machines: logged only when they fail, or at DEBUG."""

logger = logging.getLogger(__name__)


def log_request(request: Request, *, status: int, seconds: float, client: str = "") -> None:
    """Log a request that Sanic handled. ``client``: its address, also behind trusted proxies."""
    level = level_of(request.path, status)
    if not logger.isEnabledFor(level):
        return
    caller = getattr(request.ctx, "caller", None)
    key_id = caller.key_id if caller is not None else None
    _log(level, request.method, request.path, status, seconds, request_id=str(request.id), key_id=key_id, client=client)


def log_answer(
    method: str,
    path: str,
    *,
    status: int,
    seconds: float,
    key_id: str | None,
    given_request_id: str | None = None,
    client: str = "",
) -> None:
    """Log a request that was answered on the fast path; ``given_request_id`` as the client sent it."""
    level = level_of(path, status)
    if logger.isEnabledFor(level):
        request_id = str(request_id_of(given_request_id))
        _log(level, method, path, status, seconds, request_id=request_id, key_id=key_id, client=client)


def level_of(path: str, status: int) -> int:
    """Return the log level: 5xx is a warning, a probe DEBUG, everything else INFO."""
    if status >= 500:
        return logging.WARNING
    return logging.DEBUG if path in PROBES else logging.INFO


def _log(
    level: int,
    method: str,
    path: str,
    status: int,
    seconds: float,
    *,
    request_id: str,
    key_id: str | None,
    client: str,
) -> None:
    """Log `http.request` without the query, which may hold a name or a token; a formatter masks phone numbers later.

    Fields only, no sentence: a sentence would have to be searched for secrets, which costs more than the rest.
    """
    # Made by hand: `logger.log` would walk the stack to find this line, at a third of the cost.
    record = logging.LogRecord(__name__, level, __file__, 0, "", None, None)
    record.__dict__.update(
        action="http.request",
        method=method,
        path=path,
        status=status,
        duration_ms=round(seconds * 1000, 1),
        request_id=request_id,
        key_id=key_id,
        client=client,
    )
    logger.handle(record)
