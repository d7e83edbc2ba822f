"""The drop-in's numbers, profiles, templates, block lists …: who may call, and then Meta's own answer.

Process: worker.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sanic import HTTPResponse, Request

from blueprints.cloud_api.media import delete_media, get_media, media_of
from blueprints.cloud_api.requests import base_url_of, graph_body, graph_identity, method_of
from blueprints.rendering import json_response
from blueprints.request_reading import services_of
from blueprints.streaming import body_of
from services.cloud_api import (
    FIELDS,
    NumberLimit,
    Place,
    ProxiedAnswer,
    ProxiedCall,
    parameter_name,
    plain_call,
    unknown_object,
)
from services.keys import Caller, Scope, require
from services.numbers import Number

NUMBER_SCOPES: Final[Mapping[str, Scope]] = {
    "whatsapp_business_profile": Scope.NUMBERS,
    "block_users": Scope.CONTACTS,
    "settings": Scope.NUMBERS,
    "message_qrdls": Scope.NUMBERS,
    "whatsapp_commerce_settings": Scope.NUMBERS,
    "conversational_automation": Scope.NUMBERS,
    "whatsapp_business_encryption": Scope.NUMBERS,
}
ACCOUNT_SCOPES: Final[Mapping[str, Scope]] = {
    "phone_numbers": Scope.NUMBERS,
    "message_templates": Scope.TEMPLATES,
    "upsert_message_templates": Scope.TEMPLATES,
    "migrate_message_templates": Scope.TEMPLATES,
    "flows": Scope.TEMPLATES,
}
"""What is not named here changes the installation itself, or is new at Meta: scope ``admin``."""
EXPANDABLE: Final[Mapping[str, Scope]] = {
    **NUMBER_SCOPES,
    **ACCOUNT_SCOPES,
    **dict.fromkeys(("assigned_users", "subscribed_apps", "system_users", "product_catalogs"), Scope.ADMIN),
}
"""Edges that ``fields`` can name beside facts of the object itself."""
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*+")
_EXPANDED: Final = re.compile(r"(?<![a-z0-9_])([a-z_][a-z0-9_]*+)(?:\.[a-z_]++\([^(){}]{0,200}\)){0,8}+\s*+\{")
ACCOUNTS_USAGE: Final = "x-business-use-case-usage"
CHANGES_TEMPLATES: Final = frozenset({"message_templates", "upsert_message_templates", "migrate_message_templates"})


@dataclass(frozen=True, slots=True)
class Node:
    """What an id means here: a ``number``, an ``account``, a ``template``, an ``upload``, or ``other``, which is Meta's
    to know."""

    kind: str
    id: str
    number: Number


async def node_of(request: Request, node: str, caller: Caller) -> Node:
    """One id space. Raises ``GraphFault`` (100/33) for what this caller does not have."""
    services = services_of(request)
    mine = [number for number in await services.numbers.all() if caller.may_use(number.phone_number_id)]
    for number in mine:
        if node == number.phone_number_id:
            return Node("number", node, number)
    for number in mine:
        if node == number.waba_id:
            return Node("account", node, number)
    template = await services.templates.get(node)
    if template is not None:
        for number in mine:
            if number.waba_id == template.waba_id:
                return Node("template", node, number)
    elif mine and not caller.numbers:
        return Node("other", node, mine[0])
    raise unknown_object(node, request.method)


def scope_of(kind: str, method: str, edge: str) -> Scope:
    """What a caller needs for this edge of such an object."""
    if kind == "template" or (kind == "account" and edge.partition("/")[0] == "message_templates"):
        return Scope.TEMPLATES
    if not edge and method == "GET" and kind in ("number", "account"):
        return Scope.NUMBERS
    table = {"number": NUMBER_SCOPES, "account": ACCOUNT_SCOPES}.get(kind, {})
    return table.get(edge.partition("/")[0], Scope.ADMIN)


def scopes_of_fields(value: str) -> set[Scope]:
    """What a caller needs for ``fields=…``: an edge that is read by its name there needs what it needs by its path."""
    text = value.lower()
    named = {EXPANDABLE[name] for name in _NAME.findall(text) if name in EXPANDABLE}
    return named | {EXPANDABLE.get(name, Scope.ADMIN) for name in _EXPANDED.findall(text) if name not in FIELDS}


async def pass_edge(request: Request, node: str, edge: str, version: str) -> HTTPResponse:
    """Hand the call on, and read templates again when it may have changed them."""
    caller = await graph_identity(request)
    found = await node_of(request, node, caller)
    require(caller, scope_of(found.kind, method_of(request), edge))
    answer = await pass_on(request, found, edge, caller, version=version)
    is_change = method_of(request) != "GET" and answer.http_status < 300
    if is_change and (found.kind == "template" or edge.partition("/")[0] in CHANGES_TEMPLATES):
        await services_of(request).template_account.read_again(found.number.waba_id, caller)
    return _rendered(answer)


async def call_node(request: Request, node: str, version: str = "") -> HTTPResponse:
    """One call on an object itself. The store that holds the id decides what it is."""
    caller = await graph_identity(request)
    media = await media_of(request, node, caller) if caller.may(Scope.MEDIA) else None
    if media is not None and method_of(request) in ("GET", "DELETE"):
        handler = {"GET": get_media, "DELETE": delete_media}[method_of(request)]
        return await handler(request, media, caller)
    found = await node_of(request, node, caller)
    raw = graph_body(request) if request.method == "POST" else {}
    if found.kind == "number" and isinstance(raw.get("webhook_configuration"), dict):
        require(caller, Scope.WEBHOOK_ENDPOINTS)
        wanted = raw["webhook_configuration"]
        await set_callback(request, Place("number", node), wanted, caller)
        return json_response({"success": True})
    require(caller, scope_of(found.kind, method_of(request), ""))
    answer = await pass_on(request, found, "", caller, version=version)
    if found.kind == "number" and isinstance(answer.value, dict) and "webhook_configuration" in answer.value:
        answer.value["webhook_configuration"] = await _callbacks_of(request, found.number, caller)
    if found.kind == "template" and method_of(request) != "GET" and answer.http_status < 300:
        await services_of(request).template_account.read_again(found.number.waba_id, caller)
    return _rendered(answer)


async def set_callback(request: Request, place: Place, wanted: Mapping[str, Any], caller: Caller) -> None:
    """Set an override, or take it back: without an address there is none any more."""
    callbacks, url = services_of(request).callbacks, wanted.get("override_callback_uri")
    if url:
        await callbacks.set(place, str(url), str(wanted.get("verify_token") or ""), caller)
    else:
        await callbacks.remove(place, caller)


async def pass_on(
    request: Request, node: Node, edge: str, caller: Caller, *, version: str, is_stream: bool = False
) -> ProxiedAnswer:
    """Meta's answer to this request, asked with the token of the node's number, within the numbers of the caller."""
    query = tuple((name, value) for name, values in request.args.items() for value in values)
    call = await plain_call(
        ProxiedCall(
            method=method_of(request),
            path=(node.id, *edge.split("/")) if edge else (node.id,),
            query=query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body_of(request) if is_stream else request.body,
        )
    )
    for name, value in call.parameters:
        if parameter_name(name) == "fields":
            for scope in scopes_of_fields(str(value)):
                require(caller, scope)
    services = services_of(request)
    limit = NumberLimit(caller, await services.numbers.all() if caller.numbers else ())
    limit.require(node.kind, method_of(request), edge, call.parameters)
    answer = await services.graph_proxy.call(
        call,
        phone_number_id=node.number.phone_number_id,
        base_url=base_url_of(request, version),
        own_token=request.args.get("access_token"),
    )
    value = limit.within(answer.value, node.id, edge)
    if value is None and answer.value is not None:
        raise unknown_object(node.id, request.method)
    # The throttle header names every account that the token reaches.
    headers = {name: text for name, text in answer.headers.items() if not (limit.is_limited and name == ACCOUNTS_USAGE)}
    return replace(answer, value=value, headers=headers)


async def _callbacks_of(request: Request, number: Number, caller: Caller) -> dict[str, str]:
    """Meta's form of what is set for a number: only the places that have one."""
    callbacks = services_of(request).callbacks
    places = {"phone_number": Place("number", number.phone_number_id), "application": Place("app")}
    places["whatsapp_business_account"] = Place("account", number.waba_id)
    found = {name: await callbacks.url_of(place, caller) for name, place in places.items()}
    return {name: url for name, url in found.items() if url}


def _rendered(answer: ProxiedAnswer) -> HTTPResponse:
    return json_response(answer.value, status=answer.http_status, headers=answer.headers)


Handler = Callable[[Request, str], Awaitable[HTTPResponse]]
