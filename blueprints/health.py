"""``/livez`` and ``/readyz``.

Process: worker.
"""

from sanic import Blueprint, HTTPResponse, Request

from blueprints.reading import services_of
from blueprints.rendering import json_response

bp = Blueprint("health")


@bp.get("/livez")
async def is_alive(_: Request) -> HTTPResponse:
    """This worker's event loop runs. It asks nobody."""
    return json_response({"status": "ok"})


@bp.get("/readyz")
async def is_ready(request: Request) -> HTTPResponse:
    """Can this worker do its work? 503 says what is missing."""
    report = await services_of(request).readiness.check()
    body = {"status": "ready" if report.is_ready else "not_ready", "checks": report.checks}
    return json_response(
        body, status=200 if report.is_ready else 503, headers={} if report.is_ready else {"retry-after": "1"}
    )
