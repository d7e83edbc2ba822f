"""What a key that is limited to some numbers may do, for every route: the whole rule on one screen.

Process: worker.

A route that is not in ``_TABLE`` is closed to limited keys, and ``setup_access`` refuses to build the application.
The limit itself is kept by ``own_number`` (which number is meant) and by each noun's own filter (whose things these
are); ``docs/keys.md`` says the same for people.
"""

import re
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sanic import Request, Sanic

from config.errors import RequestRefused
from services.keys import Caller, NotPermitted


class Reach(StrEnum):
    """What a route acts on, as far as a limited key is concerned."""

    OPEN = "open"
    """It needs no key and names nobody, or its credential is something else than a key."""
    NUMBERS = "numbers"
    """Things of numbers: a limited key reaches those of its own; all others do not exist for it (404)."""
    SHARED = "shared"
    """One thing for the whole installation, without anything of a number in it."""
    UNLIMITED = "unlimited"
    """It shows or changes what belongs to every number: a limited key is refused (403)."""


_TABLE: Final = {
    Reach.NUMBERS: """
        GET POST            /v1/messages
        POST                /v1/messages/batch
        GET PATCH DELETE    /v1/messages/{}
        POST                /v1/messages/{}/retry
        GET                 /v1/conversations
        GET PATCH           /v1/conversations/{}
        GET                 /v1/conversations/{}/messages
        GET POST            /v1/conversations/{}/notes
        POST                /v1/conversations/{}/read
        GET POST            /v1/quick-replies
        PATCH DELETE        /v1/quick-replies/{}
        GET POST            /v1/campaigns
        GET PATCH           /v1/campaigns/{}
        GET POST            /v1/campaigns/{}/recipients
        GET                 /v1/campaigns/{}/preview
        POST                /v1/campaigns/{}/dry-run
        POST                /v1/campaigns/{}/start
        POST                /v1/campaigns/{}/pause
        POST                /v1/campaigns/{}/resume
        POST                /v1/campaigns/{}/cancel
        GET POST            /v1/contacts
        GET                 /v1/contacts/export
        POST                /v1/contacts/import
        POST                /v1/contacts/opt-out
        POST                /v1/contacts/opt-in
        GET PATCH           /v1/contacts/{}
        POST                /v1/contacts/{}/opt-out
        POST                /v1/contacts/{}/opt-in
        POST                /v1/media
        GET DELETE          /v1/media/{}
        GET                 /v1/media/{}/content
        GET POST            /v1/templates
        POST                /v1/templates/sync
        GET PATCH DELETE    /v1/templates/{}
        GET                 /v1/events
        GET                 /v1/events/stream
        GET                 /v1/events/ws
        GET POST            /v1/webhook-endpoints
        GET PATCH DELETE    /v1/webhook-endpoints/{}
        POST                /v1/webhook-endpoints/{}/pause
        POST                /v1/webhook-endpoints/{}/resume
        POST                /v1/webhook-endpoints/{}/rotate-secret
        POST                /v1/webhook-endpoints/{}/test
        POST                /v1/webhook-endpoints/{}/redeliver
        GET                 /v1/webhook-endpoints/{}/attempts
        GET                 /v1/webhook-endpoints/{}/dead-letters
        GET                 /v1/numbers
        GET PATCH           /v1/numbers/{}
        GET                 /v1/numbers/{}/limits
        POST                /v1/numbers/{}/pause
        POST                /v1/numbers/{}/resume
        GET POST            /v1/keys
        DELETE              /v1/keys/{}
        GET                 /v1/cluster
        GET                 /console/agents
        GET                 /console/tails
        GET                 /console/latest-events
        GET                 /console/sandbox/media/{}
        GET POST PUT DELETE /console/sandbox/{}
        GET POST DELETE     /{}
        POST                /{}/media
        GET POST DELETE     /{}/{}
        GET POST DELETE     /{}/{}/{}
        POST                /{}/{}/media
        GET POST DELETE     /{}/{}/{}/{}
        """,
    Reach.SHARED: """
        GET                 /v1/capacity
        GET                 /console/history
        """,
    Reach.UNLIMITED: """
        GET                 /v1/notifications
        GET                 /v1/notifications/{}
        POST                /v1/notifications/{}/replay
        """,
    Reach.OPEN: """
        GET POST            /webhooks/whatsapp
        GET                 /oauth/access_token
        GET                 /{}/oauth/access_token
        GET                 /whatsapp_business/attachments
        GET                 /livez
        GET                 /readyz
        GET                 /metrics
        GET                 /console
        GET                 /console/{}
        GET                 /console/assets/{}/{}
        GET                 /console/health
        GET POST DELETE     /console/session
        POST                /console/session/touch
        GET                 /openapi.json
        GET                 /docs
        GET                 /docs/errors
        GET                 /docs/assets/{}
        """,
}
"""The drop-in's routes (``/{}``, ``/{}/{}`` …) keep the limit by themselves and answer as Meta does."""


def _read_table() -> dict[str, Reach]:
    found: dict[str, Reach] = {}
    for reach, lines in _TABLE.items():
        for line in lines.split("\n"):
            *methods, path = line.split() or [""]
            found |= {f"{method} {path}": reach for method in methods}
    return found


REACH: Final = MappingProxyType(_read_table())
"""Reach by method and path, parameters as ``{}``: ``GET /v1/messages/{}``."""

_PARAMETER: Final = re.compile(r"<(?:[^<>\[\]]|\[[^\]]{0,40}\]|<[^>]{0,40}>){0,80}+>")


def operation_of(method: str, path: str) -> str:
    """A route of the router as it stands in ``REACH``; what asks for the head asks for the whole."""
    return f"{'GET' if method == 'HEAD' else method} /{_PARAMETER.sub('{}', path.strip('/'))}"


def setup_access(app: Sanic[Any, Any]) -> None:
    """Give every route its reach. Raises ``LookupError`` for a route without one.

    Call it when every route is known. ``OPTIONS`` tells the methods of a path, and nothing else.
    """
    undeclared = []
    for route in app.router.routes:
        operations = [operation_of(method, route.path) for method in route.methods if method != "OPTIONS"]
        undeclared += [operation for operation in operations if operation not in REACH]
        reaches = {REACH.get(operation, Reach.UNLIMITED) for operation in operations} or {Reach.OPEN}
        # One route has one reach: the narrowest, should its methods ever differ.
        route.ctx.reach = reaches.pop() if len(reaches) == 1 else Reach.UNLIMITED
    if undeclared:
        raise LookupError(f"routes without a reach in blueprints/access.py: {', '.join(sorted(undeclared))}")


def require_reach(request: Request, caller: Caller) -> None:
    """Raise ``NotPermitted`` when this route needs a key for every number and the caller's is for some."""
    context = request.route.ctx if request.route is not None else None
    if caller.numbers and getattr(context, "reach", Reach.UNLIMITED) is Reach.UNLIMITED:
        require_unlimited(caller)


def require_unlimited(caller: Caller) -> None:
    """Raise ``NotPermitted`` for a key that is limited to some numbers."""
    if caller.numbers:
        raise NotPermitted("This needs an API key for every number; this one is limited to some.")


def foreign_number() -> RequestRefused:
    """For a limited key every number that is not its own: whether there is such a number is not told."""
    return RequestRefused("This API key has no such number.", code="not_found")
