"""The business profile of a number, and the small settings that a number keeps for its owner.

Process: sandbox.

Source: Meta, "Business profiles" (2025-12); 512 characters of description from captured traffic (Meta's OpenAPI: 256).
"""

from collections.abc import Callable
from typing import Any

import orjson

from services.sandbox.checks.fields import list_of
from services.sandbox.graph.call import SUCCESS, Answer, Call
from services.sandbox.graph.context import GraphContext, Handler
from services.sandbox.graph.numbers import number_of
from services.sandbox.graph.paging import fields_of
from services.sandbox.wire.faults import GraphFault
from services.sandbox.wire.shapes import Json

TEXT_CHARS = {"about": 139, "address": 256, "description": 512, "email": 128}
WEBSITES_MOST = 2
WEBSITE_CHARS = 256
EMPTY: Json = {"messaging_product": "whatsapp", "vertical": "OTHER"}


async def get_profile(context: GraphContext, call: Call) -> Answer:
    profile = {**EMPTY, **number_of(context, call).get("profile", {})}
    shown = fields_of(call, profile)
    return Answer({"data": [{"messaging_product": "whatsapp", **shown}]})


async def post_profile(context: GraphContext, call: Call) -> Answer:
    """Changes the keys that are given; an empty text takes one away."""
    number = number_of(context, call)
    profile = dict(number.get("profile", {}))
    for key, most in TEXT_CHARS.items():
        value = call.body.get(key)
        if value is None:
            continue
        if not isinstance(value, str) or len(value) > most:
            raise GraphFault(100, f"Param {key} must be a string of at most {most} characters.")
        profile[key] = value
    if call.body.get("websites") is not None:
        profile["websites"] = _websites(call.body["websites"])
    if call.body.get("vertical") is not None:
        profile["vertical"] = str(call.body["vertical"]).upper() or "OTHER"
    handle = call.body.get("profile_picture_handle")
    if handle is not None:
        if context.world.handles.get(str(handle)) is None:
            raise GraphFault(100, "Param profile_picture_handle is not the handle of an upload.")
        profile["profile_picture_url"] = f"{context.world.options.base_url}/_sandbox/sample.jpg"
    context.world.numbers.put(call.node, {**number, "profile": profile})
    return Answer(SUCCESS)


def keeps(edge: str, show: Callable[[str, Json], Any]) -> tuple[Handler, Handler]:
    """GET and POST of an edge whose object a number only has to remember: parameters of the body, else of the query."""

    async def get(context: GraphContext, call: Call) -> Answer:
        return Answer(show(call.node, number_of(context, call).get(edge, {})))

    async def post(context: GraphContext, call: Call) -> Answer:
        number = number_of(context, call)
        given = {**call.query, **call.body}
        kept = {key: _plain(value) for key, value in given.items() if key not in ("access_token", "messaging_product")}
        context.world.numbers.put(call.node, {**number, edge: {**number.get(edge, {}), **kept}})
        return Answer(SUCCESS)

    return get, post


def show_commerce(number_id: str, kept: Json) -> Json:
    standard = {"is_cart_enabled": True, "is_catalog_visible": False}
    return {"data": [{**standard, **kept, "id": number_id}]}


def show_automation(number_id: str, kept: Json) -> Json:
    return {"conversational_automation": {**kept, "id": number_id}, "id": number_id}


def show_encryption(number_id: str, kept: Json) -> Json:
    return {"data": [{**kept, "business_public_key_signature_status": "VALID"}] if kept else []}


def show_settings(number_id: str, kept: Json) -> Json:
    return {"storage_configuration": {"status": "DEFAULT"}, **kept}


def _websites(value: Any) -> list[str]:
    """A list, or the JSON text of one."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            value = [value] if value else []
    websites = list_of(value, "websites", most=WEBSITES_MOST)
    if any(not isinstance(one, str) or len(one) > WEBSITE_CHARS for one in websites):
        raise GraphFault(100, f"Param websites must be strings of at most {WEBSITE_CHARS} characters.")
    return websites


def _plain(value: Any) -> Any:
    """`true` and `false` of a query as booleans."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
