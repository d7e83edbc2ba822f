"""One line in the log for each request: what, how it ended, how long it took. Written by the log's own thread.

Process: worker.
"""

import logging

from sanic import Request

from services.http_server.request_id import request_id_of

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: told only when they fail, or at DEBUG."""

logger = logging.getLogger(__name__)


def log_request(request: Request, *, status: int, seconds: float, client: str = "") -> None:
    """The line of a request that Sanic has read. ``client``: its address, also behind proxies that we trust."""
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
    """The line of a request that was answered without an object of its own; ``given_request_id`` as it came."""
    level = level_of(path, status)
    if logger.isEnabledFor(level):
        request_id = str(request_id_of(given_request_id))
        _log(level, method, path, status, seconds, request_id=request_id, key_id=key_id, client=client)


def level_of(path: str, status: int) -> int:
    """5xx is a warning. 499: the client hung up before the answer."""
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
    """`http.request`, without the query (it may hold a name or a token); a phone number in the path is masked later.

    The facts are no sentence: a sentence would have to be searched for secrets, and costs more than the rest.
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
