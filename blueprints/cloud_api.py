"""The drop-in for Meta's Cloud API: `/{vN.M or nothing}/{id}/{edge}`. Clients change their base URL, nothing else.

Process: worker.

Every version is known, and none is one too: real clients send v14.0 to v26.0, and some send none.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from sanic import Blueprint, HTTPResponse, Request

from blueprints.cloud_api_errors import setup_graph_errors
from blueprints.cloud_api_messages import post_messages
from services.dropin import unknown_object

bp = Blueprint("cloud_api")
setup_graph_errors(bp)

Handler = Callable[[Request, str], Awaitable[HTTPResponse]]

VERSION: Final = "<version:v[0-9]+(?:[.][0-9]+)?>"
NODE: Final = "<node:[0-9]{1,32}>"
"""Without a version an id is digits, so that no path of our own can be meant."""
EDGE: Final = "<edge:[^/]+>"

EDGES: Final[dict[tuple[str, str], Handler]] = {
    ("POST", "messages"): post_messages,
}


async def call_edge(request: Request, node: str, edge: str, version: str = "") -> HTTPResponse:
    """One call on an edge of an object."""
    handler = EDGES.get((request.method, edge))
    if handler is None:
        raise unknown_object(node, request.method)
    return await handler(request, node)


for _position, _prefix in enumerate(("", f"/{VERSION}")):
    bp.add_route(
        call_edge, f"{_prefix}/{NODE}/{EDGE}", methods=["GET", "POST", "DELETE"], name=f"call_edge_{_position}"
    )
