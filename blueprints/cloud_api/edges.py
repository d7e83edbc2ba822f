"""The drop-in for Meta's Cloud API: `/{vN.M or nothing}/{id}/{edge}`. Clients change their base URL, nothing else.

Process: worker.

Every version is known, and none is one too: real clients send v14.0 to v26.0, and some send none.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from sanic import Blueprint, HTTPResponse, Request

from blueprints.cloud_api.app import (
    app_token,
    open_upload,
    show_subscribed_apps,
    show_subscriptions,
    subscribe_account,
    subscribe_app,
    unsubscribe_account,
    unsubscribe_app,
    upload_session,
)
from blueprints.cloud_api.errors import setup_graph_errors
from blueprints.cloud_api.media import post_media, read_attachment
from blueprints.cloud_api.messages import post_marketing_messages, post_messages
from blueprints.cloud_api.requests import method_of
from blueprints.cloud_api.resources import call_node, pass_edge
from services.cloud_api import PathRefused, plain_path, require_no_override
from services.media import MediaUrls

bp = Blueprint("cloud_api")
setup_graph_errors(bp)

Handler = Callable[[Request, str], Awaitable[HTTPResponse]]

VERSION: Final = "<version:v[0-9]+(?:[.][0-9]+)?>"
DIGITS: Final = "<node:[0-9]{1,32}>"
"""Without a version an id is digits, so that no path of our own can be meant."""
WORD: Final = "<node:[A-Za-z0-9_.]{1,64}>"
"""With one it may be a word, too: `app`, `me`. Meta's versions have a dot, so `/v1` stays ours."""
DOTTED: Final = "<version:v[0-9]+[.][0-9]+>"
EDGE: Final = "<edge:[^/]+>"
REST: Final = "<rest:[^/]+>"
SESSION: Final = "<session:upload[:].+>"
METHODS: Final = ["GET", "POST", "DELETE"]

EDGES: Final[dict[tuple[str, str], Handler]] = {
    ("POST", "messages"): post_messages,
    ("POST", "marketing_messages"): post_marketing_messages,
    ("GET", "subscribed_apps"): show_subscribed_apps,
    ("POST", "subscribed_apps"): subscribe_account,
    ("DELETE", "subscribed_apps"): unsubscribe_account,
    ("GET", "subscriptions"): show_subscriptions,
    ("POST", "subscriptions"): subscribe_app,
    ("DELETE", "subscriptions"): unsubscribe_app,
    ("POST", "uploads"): open_upload,
}
"""What Panal does itself. Every other edge is Meta's."""


async def call_edge(request: Request, node: str, edge: str, rest: str = "", version: str = "") -> HTTPResponse:
    """One call on an edge of an object: the path is made plain before anything is judged by it."""
    _require_no_override(request)
    node, edge, *more = plain_path((node, edge, rest) if rest else (node, edge))
    if not more and edge == "media" and request.method == "POST":
        raise PathRefused("Spell /media as it is: the file is read as it comes.")
    handler = EDGES.get((method_of(request), edge)) if not more else None
    if handler is not None:
        return await handler(request, node)
    return await pass_edge(request, node, "/".join((edge, *more)), version)


async def call_object(request: Request, node: str, version: str = "") -> HTTPResponse:
    """One call on an object itself."""
    _require_no_override(request)
    [node] = plain_path((node,))
    return await call_node(request, node, version)


async def upload(request: Request, node: str, version: str = "") -> HTTPResponse:
    """An upload: its body is a stream, read only by the handler that needs it."""
    _require_no_override(request)
    return await post_media(request, node)


def _require_no_override(request: Request) -> None:
    require_no_override(request.args if request.query_string else (), request.headers)


bp.add_route(read_attachment, MediaUrls.PATH, methods=["GET"])
for _at, (_prefix, _node) in enumerate((("", DIGITS), (f"/{VERSION}", DIGITS), (f"/{DOTTED}", WORD))):
    bp.add_route(call_object, f"{_prefix}/{_node}", methods=METHODS, name=f"call_node_{_at}")
    bp.add_route(call_edge, f"{_prefix}/{_node}/{EDGE}", methods=METHODS, name=f"call_edge_{_at}")
    bp.add_route(call_edge, f"{_prefix}/{_node}/{EDGE}/{REST}", methods=METHODS, name=f"call_rest_{_at}")
    bp.add_route(upload, f"{_prefix}/{_node}/media", methods=["POST"], name=f"upload_{_at}", stream=True)
for _at, _prefix in enumerate(("", f"/{VERSION}")):
    bp.add_route(app_token, f"{_prefix}/oauth/access_token", methods=["GET"], name=f"app_token_{_at}")
    bp.add_route(upload_session, f"{_prefix}/{SESSION}", methods=["GET"], name=f"session_{_at}")
    bp.add_route(upload_session, f"{_prefix}/{SESSION}", methods=["POST"], name=f"send_{_at}", stream=True)
