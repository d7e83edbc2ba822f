"""The drop-in's app-level calls: callbacks, app tokens, resumable uploads.

Process: worker.
"""

import hmac
from typing import Any

from sanic import HTTPResponse, Request

from blueprints.cloud_api.requests import graph_body, graph_caller, graph_identity
from blueprints.cloud_api.resources import Node, node_of, pass_on, set_callback
from blueprints.rendering import json_response
from blueprints.request_reading import services_of
from config.errors import RequestRefused
from services.cloud_api import APP, GraphFault, Place, unknown_object
from services.keys import Caller, Scope, require

APP_NAME = "Panal"
CALLBACK_FIELDS = ("callback_url", "verify_token")


async def show_subscribed_apps(request: Request, node: str) -> HTTPResponse:
    """The app of an account, and the address that the account has of its own."""
    caller = await _account(request, node)
    url = await services_of(request).callbacks.url_of(Place("account", node), caller)
    app: dict[str, Any] = {"whatsapp_business_api_data": {"id": "1", "link": "", "name": APP_NAME}}
    if url:
        app["override_callback_uri"] = url
    return json_response({"data": [app]})


async def subscribe_account(request: Request, node: str) -> HTTPResponse:
    """With an address: notifications of this account go there. Without: to where the app's go, as before."""
    caller = await _account(request, node)
    wanted = _parameters(request)
    if wanted.get("override_callback_uri"):
        await set_callback(request, Place("account", node), wanted, caller)
    return json_response({"success": True})


async def unsubscribe_account(request: Request, node: str) -> HTTPResponse:
    """The account has no address of its own any more."""
    caller = await _account(request, node)
    await services_of(request).callbacks.remove(Place("account", node), caller)
    return json_response({"success": True})


async def show_subscriptions(request: Request, node: str) -> HTTPResponse:
    """Where the app's notifications go."""
    caller = await _app_caller(request)
    url = await services_of(request).callbacks.url_of(APP, caller)
    entry: dict[str, Any] = {"object": "whatsapp_business_account", "callback_url": url, "active": True, "fields": []}
    return json_response({"data": [entry] if url else []})


async def subscribe_app(request: Request, node: str) -> HTTPResponse:
    """Notifications of every number without a nearer address go to ``callback_url``."""
    caller = await _app_caller(request)
    wanted = _parameters(request)
    for name in CALLBACK_FIELDS:
        if not wanted.get(name):
            raise GraphFault(100, message=f"(#100) The parameter {name} is required.")
    url, verify_token = str(wanted["callback_url"]), str(wanted["verify_token"])
    await services_of(request).callbacks.set(APP, url, verify_token, caller)
    return json_response({"success": True})


async def unsubscribe_app(request: Request, node: str) -> HTTPResponse:
    """The app has no address any more."""
    await services_of(request).callbacks.remove(APP, await _app_caller(request))
    return json_response({"success": True})


async def app_token(request: Request, version: str = "") -> HTTPResponse:
    """`GET /oauth/access_token`: Graph's own form of an app token, its id and secret. It opens callbacks alone."""
    app_id, secret = request.args.get("client_id") or "", request.args.get("client_secret") or ""
    if not _is_app_secret(request, secret):
        raise GraphFault(1, message="Error validating client secret.")
    return json_response({"access_token": f"{app_id}|{secret}", "token_type": "bearer"})


async def open_upload(request: Request, node: str) -> HTTPResponse:
    """`POST /{app}/uploads`: a session at Meta, whose handle templates and profiles there can use."""
    caller = await graph_caller(request, Scope.MEDIA)
    place = Node("upload", node, await _any_number(request, caller))
    answer = await pass_on(request, place, "uploads", caller, version="")
    return json_response(answer.value, status=answer.http_status, headers=answer.headers)


async def upload_session(request: Request, session: str, version: str = "") -> HTTPResponse:
    """`/upload:…`: pass the bytes on as they arrive, or tell how many have arrived."""
    caller = await graph_caller(request, Scope.MEDIA)
    place = Node("upload", session, await _any_number(request, caller))
    answer = await pass_on(request, place, "", caller, version=version, is_stream=request.method == "POST")
    return json_response(answer.value, status=answer.http_status, headers=answer.headers)


async def _account(request: Request, node: str) -> Caller:
    caller = await graph_caller(request, Scope.WEBHOOK_ENDPOINTS)
    if (await node_of(request, node, caller)).kind != "account":
        raise unknown_object(node, request.method)
    return caller


async def _app_caller(request: Request) -> Caller:
    """A key with the scope, or an app token: the app's id and secret with a bar between them."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer if scheme else request.args.get("access_token") or ""
    app_id, bar, secret = token.partition("|")
    if bar and _is_app_secret(request, secret):
        return Caller(key_id=f"app_{app_id}", name="app token", scopes=frozenset({Scope.WEBHOOK_ENDPOINTS}))
    caller = await graph_identity(request)
    require(caller, Scope.WEBHOOK_ENDPOINTS)
    return caller


async def _any_number(request: Request, caller: Caller) -> Any:
    for number in await services_of(request).numbers.all():
        if caller.may_use(number.phone_number_id):
            return number
    raise RequestRefused("There is no number that this key may use.", code="not_found")


def _is_app_secret(request: Request, secret: str) -> bool:
    own = services_of(request).settings.app_secret.get_secret_value()
    return bool(own) and hmac.compare_digest(secret.encode("utf-8", "surrogateescape"), own.encode())


def _parameters(request: Request) -> dict[str, Any]:
    """From the query or from the body: clients use either."""
    return {name: values[0] for name, values in request.args.items()} | graph_body(request)
