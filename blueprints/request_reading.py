"""Reading a request: who calls, the body, the query. Every fault is named.

Process: worker.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, cast

import orjson
from sanic import HTTPResponse, Request

from blueprints.access import foreign_number, require_reach
from config.digits import whole_number_in
from config.errors import Fault, RequestRefused
from config.json_limits import json_fault
from services.keys import Caller, NotPermitted, Scope, require
from services.messages import Idempotency
from services.numbers import Number
from services.store import DatabaseUnavailable
from services.wiring import WorkerServices

P = ParamSpec("P")
Handler = Callable[Concatenate[Request, P], Awaitable[HTTPResponse | None]]
"""None: the handler has answered by itself, piece by piece."""

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
WATCHED_S = 1.5
"""How long a view of the installation's health may take, the caller's key included."""
MAX_KEY_LENGTH = 255
MAX_CURSOR_LENGTH = 13
"""63 bits, in digits and letters."""


def services_of(request: Request) -> WorkerServices:
    """The services of this worker."""
    return cast(WorkerServices, request.app.ctx.services)


def caller_of(request: Request) -> Caller:
    """Who calls; only behind ``needs``."""
    return cast(Caller, request.ctx.caller)


SESSION_COOKIE = "panal_session"
CONSOLE_HEADER = "x-panal-console"


async def authenticated(request: Request) -> Caller:
    """The caller of this request: by its bearer key, or by the session of the console."""
    authorization = request.headers.get("authorization")
    # Who sends a key is not asked for cookies: to take them apart costs more than to know the key.
    cookie = request.cookies.get(SESSION_COOKIE) if authorization is None else None
    if not cookie:
        return await services_of(request).key_cache.caller(authorization)
    if not is_own_page(request):
        raise NotPermitted("A session is for the console's own pages; elsewhere send an API key.")
    return await services_of(request).sessions.caller(cookie)


def is_own_page(request: Request) -> bool:
    """Does this call come from the console itself, and not from a page of somebody else in the same browser?

    Browsers send a SameSite=Strict cookie only from our own site; this looks at what they say beside it. A call that
    changes something also carries a header that no other site can send without being asked first.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        return False
    return request.method in ("GET", "HEAD") or CONSOLE_HEADER in request.headers


async def own_number(request: Request, phone_number_id: str | None) -> Number:
    """This number, or the default one: for a limited key the first of its own.

    Raises ``RequestRefused`` (``not_found``) for every number that a limited key does not have, ``UnknownNumber``.
    """
    return await number_for(request, phone_number_id, caller_of(request))


async def number_for(request: Request, phone_number_id: str | None, caller: Caller) -> Number:
    """``own_number`` before the caller stands in the request."""
    numbers = services_of(request).numbers
    if phone_number_id is not None and not caller.may_use(phone_number_id):
        raise foreign_number()
    if phone_number_id is None and caller.numbers:
        own = [one for one in await numbers.all() if caller.may_use(one.phone_number_id)]
        if not own:
            raise foreign_number()
        return own[0]
    return await numbers.resolve(phone_number_id)


def needs(scope: Scope, *, within_s: float | None = None) -> Callable[[Handler[P]], Handler[P]]:
    """Let a handler run only for a caller with this scope, and as far as its key reaches (``blueprints.access``).

    ``within_s``: longer than that nobody waits to know who calls.
    """

    def wrap(handler: Handler[P]) -> Handler[P]:
        async def guarded(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HTTPResponse | None:
            caller = await (authenticated(request) if within_s is None else authenticated_within(request, within_s))
            require(caller, scope)
            require_reach(request, caller)
            request.ctx.caller = caller
            return await handler(request, *args, **kwargs)

        return update_wrapper(guarded, handler)  # Sanic and the API reference see the handler's name and words

    return wrap


async def authenticated_within(request: Request, limit_s: float) -> Caller:
    """The caller of this request; ``DatabaseUnavailable`` when the database, which knows the keys, takes longer."""
    try:
        async with asyncio.timeout(limit_s):
            return await authenticated(request)
    except TimeoutError as error:
        raise DatabaseUnavailable(
            f"The database did not answer within {limit_s:g} s. Not heard: whose API key this is."
        ) from error


def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object that can be stored. Raises ``RequestRefused``.

    A streaming route receives its body first (``blueprints.uploads.receive_body``).
    """
    body = request.body
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(
            "The body is not valid JSON.", code="invalid_json", faults=[Fault("", str(error))]
        ) from error
    if not isinstance(value, dict):
        raise RequestRefused(
            "The body must be a JSON object.", code="invalid_json", faults=[Fault("", "must be an object")]
        )
    if (fault := json_fault(body, value)) is not None:
        raise RequestRefused("The body cannot be stored.", faults=[fault])
    return value


def optional_json_object(request: Request) -> dict[str, Any]:
    """The same where the body may be left out."""
    return json_object(request) if request.body else {}


def is_idempotency_key(key: str) -> bool:
    """May this be an ``Idempotency-Key``? A header may hold any bytes; what is no text comes as surrogates."""
    return 0 < len(key) <= MAX_KEY_LENGTH and key.isprintable()


def idempotency_key(request: Request) -> str | None:
    """The caller's ``Idempotency-Key``, if there is one. Raises ``RequestRefused``."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not is_idempotency_key(key):
        raise RequestRefused(
            "The Idempotency-Key is not valid.",
            faults=[Fault("Idempotency-Key", f"must have 1 to {MAX_KEY_LENGTH} printable characters")],
        )
    return str(key)


def idempotency_of(request: Request, place: str = "") -> Idempotency | None:
    """The caller's key with what it came with: the body, and ``place``, what the path says of it."""
    key = idempotency_key(request)
    if key is None:
        return None
    return Idempotency(key=key, digest=hashlib.sha256(place.encode() + request.body).digest())


def whole_number(request: Request, name: str, default: int, *, least: int, most: int) -> int:
    """A query parameter that is a whole number within limits."""
    text = request.args.get(name)
    if text is None:
        return default
    value = whole_number_in(text, most=most)
    if value is None or value < least:
        raise RequestRefused(
            "A query parameter is not valid.", faults=[Fault(name, f"must be a whole number from {least} to {most}")]
        )
    return value


def limit_of(request: Request) -> int:
    """How many items a list shows: 1 to 200."""
    return whole_number(request, "limit", DEFAULT_LIMIT, least=1, most=MAX_LIMIT)


def cursor_of(request: Request) -> int | None:
    """Where a list goes on: the ``next_cursor`` of the page before."""
    text = request.args.get("cursor")
    if text is None:
        return None
    try:
        value = int(text, 36) if len(text) <= MAX_CURSOR_LENGTH else 0
    except ValueError:
        value = 0
    if not 0 < value < 2**63:
        raise RequestRefused("The cursor is not one of ours.", faults=[Fault("cursor", "must be a next_cursor")])
    return value


def cursor_text(order: int) -> str:
    """The cursor behind an item."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while order:
        order, rest = divmod(order, 36)
        text = digits[rest] + text
    return text or "0"


def word(request: Request, name: str, *, longest: int = 128) -> str | None:
    """A query parameter that is one word."""
    text = request.args.get(name)
    if text is None:
        return None
    if not text or len(text) > longest or "\0" in text:
        raise RequestRefused(
            "A query parameter is not valid.", faults=[Fault(name, f"must have 1 to {longest} characters")]
        )
    return str(text)


def choice(request: Request, name: str, kinds: type[Any]) -> Any:
    """A query parameter that is one word of an enumeration, or None."""
    text = request.args.get(name)
    if text is None:
        return None
    try:
        return kinds(text)
    except ValueError as error:
        words = ", ".join(kind.value for kind in kinds)
        raise RequestRefused(
            "A query parameter is not valid.", faults=[Fault(name, f"must be one of {words}")]
        ) from error
