"""``/v1/capacity``: the plan that this cluster was started with.

Process: worker.
"""

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response
from blueprints.request_reading import WATCHED_S, needs
from services.keys import Scope

bp = Blueprint("capacity", url_prefix="/capacity")


@bp.get("/")
@needs(Scope.CLUSTER_READ, within_s=WATCHED_S)
async def get_capacity(request: Request) -> HTTPResponse:
    """Workers, connections and memory, as planned at the start."""
    return json_response(request.app.ctx.plan)
