"""One line in the log for each request: what, how it ended, how long it took. Written by the log's own thread.

Process: worker.
"""

import logging

from sanic import Request

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: told only when they fail, or at DEBUG."""

logger = logging.getLogger(__name__)


def log_request(request: Request, *, status: int, seconds: float) -> None:
    """`http.request`, without the query (it may hold a name or a token); a phone number in the path is masked later.

    5xx is a warning. 499: the client hung up before the answer. The facts are no sentence: a sentence would have to be
    searched for secrets, and costs more than the rest of the line.
    """
    if status >= 500:
        level = logging.WARNING
    else:
        level = logging.DEBUG if request.path in PROBES else logging.INFO
    if not logger.isEnabledFor(level):
        return
    caller = getattr(request.ctx, "caller", None)
    # Made by hand: `logger.log` would walk the stack to find this line, at a third of the cost.
    record = logging.LogRecord(__name__, level, __file__, 0, "", None, None)
    record.__dict__.update(
        action="http.request",
        method=request.method,
        path=request.path,
        status=status,
        duration_ms=round(seconds * 1000, 1),
        request_id=str(request.id),
        key_id=caller.key_id if caller is not None else None,
    )
    logger.handle(record)
