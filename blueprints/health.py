"""``/livez`` and ``/readyz``.

Process: worker.
"""

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response
from blueprints.request_reading import services_of
from services.http_server.drain import why_not_ready

bp = Blueprint("health")


@bp.get("/livez")
async def is_alive(_: Request) -> HTTPResponse:
    """This worker's event loop runs. It asks nobody."""
    return json_response({"status": "ok"})


@bp.get("/readyz")
async def is_ready(request: Request) -> HTTPResponse:
    """Can this worker do its work? 503 says what is missing."""
    report = await services_of(request).readiness.check()
    reasons = why_not_ready(request.app.ctx.life.scoreboard)
    is_ready = report.is_ready and not reasons
    checks = {**report.checks, "cluster": "; ".join(reasons) or "ok"}
    body = {"status": "ready" if is_ready else "not_ready", "checks": checks}
    return json_response(body, status=200 if is_ready else 503, headers={} if is_ready else {"retry-after": "1"})
