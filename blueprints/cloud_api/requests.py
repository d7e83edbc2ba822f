"""Reading a call of the drop-in: who calls, which number is meant, the body. As lenient as Meta is.

Process: worker.
"""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from sanic import Request

from blueprints.request_reading import services_of
from config.json_limits import json_fault
from services.cloud_api import GraphFault, no_token, unknown_object
from services.http_server.forwarded import origin_of
from services.keys import Caller, Scope, require
from services.numbers import Number, UnknownNumber

TOKEN_SCHEMES = ("bearer", "oauth")


async def graph_caller(request: Request, scope: Scope) -> Caller:
    """The caller, who has this scope. Raises ``NotPermitted`` without it, and as ``graph_identity`` does."""
    caller = await graph_identity(request)
    require(caller, scope)
    return caller


async def graph_identity(request: Request) -> Caller:
    """Who calls: a Panal key as the bearer token, or as ``access_token`` in the query.

    Raises ``GraphFault`` (104) without a token, ``NotAuthenticated``.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in TOKEN_SCHEMES or not token.strip():
        token = request.args.get("access_token") or ""
    if not token.strip():
        raise no_token()
    caller = await services_of(request).key_cache.caller(f"Bearer {token.strip()}")
    request.ctx.caller = caller
    return caller


HOST: Final = re.compile(r"[A-Za-z0-9._~:\[\]-]{1,255}")


def method_of(request: Request) -> str:
    """The method that is judged and sent on: HEAD asks what GET asks, and only the body of the answer stays here."""
    return "GET" if request.method == "HEAD" else request.method


def base_url_of(request: Request, version: str) -> str:
    """The base URL as the caller sees it, with the version of the request. Raises ``GraphFault`` (100)."""
    if HOST.fullmatch(request.host) is None:
        raise GraphFault(100, "The Host header is not valid.")
    scheme = "https" if origin_of(request).is_secure else "http"
    return f"{scheme}://{request.host}" + (f"/{version}" if version else "")


async def number_of(request: Request, node: str, caller: Caller) -> Number:
    """The number with this id. Raises ``GraphFault`` (100/33) when there is none, or none that this key may use."""
    try:
        number = await services_of(request).numbers.resolve(node)
    except UnknownNumber as error:
        raise unknown_object(node, request.method) from error
    if not caller.may_use(number.phone_number_id):
        raise unknown_object(node, request.method)
    return number


def graph_body(request: Request) -> dict[str, Any]:
    """The body as an object: JSON whatever its content type says, or a form; empty when there is none."""
    body = request.body
    if not body.strip():
        return {}
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    # curl -d calls JSON a form: what begins with a brace is JSON.
    if is_form and body.lstrip()[:1] != b"{":
        return {name: _unpacked(text) for name, text in parse_qsl(body.decode("utf-8", "replace"))}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise GraphFault(100, f"The body is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise GraphFault(100, "The body must be a JSON object.")
    if (fault := json_fault(body, value)) is not None:
        raise GraphFault(100, f"The body cannot be stored: {fault.path or 'it'} {fault.reason}.")
    return value


def _unpacked(text: str) -> Any:
    """Forms carry objects and arrays as their JSON text."""
    if text[:1] in ("{", "["):
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
        return value if json_fault(text.encode(), value) is None else text
    return text
