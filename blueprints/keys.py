"""``/v1/keys``: API keys. The text is in the answer to its creation, and nowhere else.

Process: worker.
"""

from datetime import UTC, datetime
from typing import Any, Final

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response
from blueprints.request_reading import caller_of, json_object, needs, services_of
from config.clock import moment_of
from config.digits import whole_number_in
from config.errors import Fault, RequestRefused
from services.keys import MAX_NAME, ApiKey, Scope

MOST_NUMBERS: Final = 500
MAX_NUMBER_DIGITS: Final = 19

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
    body, faults = json_object(request), list[Fault]()
    name = body.get("name")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME:
        faults.append(Fault("name", f"must have 1 to {MAX_NAME} characters"))
    scopes = _scopes(body.get("scopes"), faults)
    numbers = _numbers(body.get("numbers", []), faults)
    expires_at = _expires_at(body.get("expires_at"), faults)
    if faults:
        raise RequestRefused("The key is not valid.", faults=faults)
    made = await services_of(request).keys.create(
        name=str(name).strip(), scopes=scopes, numbers=numbers, expires_at=expires_at, maker=caller_of(request)
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


def _scopes(value: Any, faults: list[Fault]) -> frozenset[Scope]:
    known = {scope.value for scope in Scope}
    if not isinstance(value, list) or not value:
        faults.append(Fault("scopes", f"must be a list of: {', '.join(sorted(known))}"))
        return frozenset()
    faults += [Fault(f"scopes[{n}]", "is not a scope") for n, word in enumerate(value) if not _is_one_of(word, known)]
    return frozenset(Scope(word) for word in value if _is_one_of(word, known))


def _is_one_of(word: Any, known: set[str]) -> bool:
    return isinstance(word, str) and word in known


def _numbers(value: Any, faults: list[Fault]) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MOST_NUMBERS or not all(_is_number(one) for one in value):
        faults.append(Fault("numbers", f"must be up to {MOST_NUMBERS} phone_number_ids; empty means every number"))
        return frozenset()
    return frozenset(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NUMBER_DIGITS and whole_number_in(value) is not None


def _expires_at(value: Any, faults: list[Fault]) -> datetime | None:
    if value is None:
        return None
    moment = moment_of(value)
    if moment is None or moment <= datetime.now(UTC):
        faults.append(Fault("expires_at", "must be an RFC 3339 time with a zone, in the future"))
        return None
    return moment
