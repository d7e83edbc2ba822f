"""The drop-in for Meta's Cloud API: `/{vN.M or nothing}/{id}/{edge}`. Clients change their base URL, nothing else.

Process: worker.

Every version is known, and none is one too: real clients send v14.0 to v26.0, and some send none.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from sanic import Blueprint, HTTPResponse, Request

from blueprints.cloud_api_errors import setup_graph_errors
from blueprints.cloud_api_media import delete_media, get_media, media_of, post_media, read_attachment
from blueprints.cloud_api_messages import post_messages
from blueprints.cloud_api_reading import graph_caller
from services.dropin import unknown_object
from services.keys import Scope
from services.media import MediaUrls

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


async def call_node(request: Request, node: str, version: str = "") -> HTTPResponse:
    """One call on an object itself. One id space: the store that holds the id decides what it is."""
    caller = await graph_caller(request, Scope.MEDIA)
    media = await media_of(request, node, caller)
    if media is not None and request.method == "GET":
        return await get_media(request, media)
    if media is not None and request.method == "DELETE":
        return await delete_media(request, media, caller)
    raise unknown_object(node, request.method)


async def upload(request: Request, node: str, version: str = "") -> HTTPResponse:
    """An upload: its body is not read before somebody wants it."""
    return await post_media(request, node)


bp.add_route(read_attachment, MediaUrls.PATH, methods=["GET"])
for _position, _prefix in enumerate(("", f"/{VERSION}")):
    _methods = ["GET", "POST", "DELETE"]
    bp.add_route(call_node, f"{_prefix}/{NODE}", methods=_methods, name=f"call_node_{_position}")
    bp.add_route(call_edge, f"{_prefix}/{NODE}/{EDGE}", methods=_methods, name=f"call_edge_{_position}")
    bp.add_route(upload, f"{_prefix}/{NODE}/media", methods=["POST"], name=f"upload_{_position}", stream=True)
