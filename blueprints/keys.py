"""``/v1/keys``: API keys. The text is in the answer to its creation, and nowhere else.

Process: worker.
"""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response
from blueprints.request_reading import caller_of, json_object, needs, services_of
from services.keys import ApiKey, Scope, parse_key

bp = Blueprint("keys", url_prefix="/keys")


@bp.get("/")
@needs(Scope.ADMIN)
async def list_keys(request: Request) -> HTTPResponse:
    """Every key within the numbers of this one, the newest first, ended ones too."""
    keys = await services_of(request).keys.all(caller_of(request))
    return json_response({"data": [key_json(key) for key in keys], "next_cursor": None})


@bp.post("/")
@needs(Scope.ADMIN)
async def create_key(request: Request) -> HTTPResponse:
    """A new key; ``key`` is its text, shown this once. It has no more than the key that makes it."""
    services = services_of(request)
    wanted = parse_key(json_object(request), now=services.clock.now())
    made = await services.keys.create(
        name=wanted.name,
        scopes=frozenset(wanted.scopes),
        numbers=frozenset(wanted.numbers),
        expires_at=wanted.expires_at,
        maker=caller_of(request),
    )
    return json_response({**key_json(made.key), "key": made.text}, status=201)


@bp.delete("/<key_id:str>")
@needs(Scope.ADMIN)
async def revoke_key(request: Request, key_id: str) -> HTTPResponse:
    """End a key; it is refused everywhere within 5 s."""
    return json_response(await services_of(request).keys.revoke(key_id, caller_of(request)))


def key_json(key: ApiKey) -> dict[str, Any]:
    """A key without its text and digest."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(scope.value for scope in key.scopes),
        "numbers": sorted(key.numbers),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
