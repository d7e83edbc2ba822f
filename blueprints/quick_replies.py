"""``/v1/quick-replies``: sentences that are written often, shared by everybody who answers.

Process: worker.
"""

from dataclasses import replace
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from blueprints.access import require_unlimited
from blueprints.rendering import json_response
from blueprints.request_reading import caller_of, json_object, needs, own_number, services_of, word
from config.errors import RequestRefused
from services.console import QuickReply, parse_quick_reply, parse_quick_reply_change
from services.keys import Scope

bp = Blueprint("quick_replies", url_prefix="/quick-replies")


@bp.get("/")
@needs(Scope.CONSOLE)
async def list_quick_replies(request: Request) -> HTTPResponse:
    """Those for every number and for the numbers of this key, oldest first."""
    caller, number = caller_of(request), word(request, "phone_number_id")
    replies = [
        reply
        for reply in await services_of(request).quick_replies.all()
        if reply.phone_number_id is None
        or (caller.may_use(reply.phone_number_id) and number in (None, reply.phone_number_id))
    ]
    return json_response({"data": [quick_reply_json(reply) for reply in replies], "next_cursor": None})


@bp.post("/")
@needs(Scope.CONSOLE)
async def create_quick_reply(request: Request) -> HTTPResponse:
    """A new one, for every number or for one."""
    wanted = parse_quick_reply(json_object(request))
    number = await _number(request, wanted.phone_number_id)
    reply = await services_of(request).quick_replies.create(
        text=wanted.text,
        shortcut=wanted.shortcut,
        phone_number_id=number,
        by=caller_of(request).key_id,
    )
    return json_response(quick_reply_json(reply), status=201)


@bp.patch("/<reply_id:str>")
@needs(Scope.CONSOLE)
async def update_quick_reply(request: Request, reply_id: str) -> HTTPResponse:
    """Another text, shortcut or number."""
    reply = await _own(request, reply_id)
    values = parse_quick_reply_change(json_object(request))
    if "phone_number_id" in values:
        values["phone_number_id"] = await _number(request, values["phone_number_id"])
    changed = replace(reply, **values, by=caller_of(request).key_id)
    return json_response(quick_reply_json(await services_of(request).quick_replies.change(changed)))


@bp.delete("/<reply_id:str>")
@needs(Scope.CONSOLE)
async def delete_quick_reply(request: Request, reply_id: str) -> HTTPResponse:
    """Take it out of use."""
    reply = await _own(request, reply_id)
    return json_response(await services_of(request).quick_replies.remove(reply.id, by=caller_of(request).key_id))


def quick_reply_json(reply: QuickReply) -> dict[str, Any]:
    """A quick reply as lists show it."""
    return {
        "id": reply.id,
        "text": reply.text,
        "shortcut": reply.shortcut,
        "phone_number_id": reply.phone_number_id,
        "created_at": reply.created_at,
        "updated_at": reply.updated_at,
    }


async def _number(request: Request, phone_number_id: str | None) -> str | None:
    """A number that this caller may use; None is every number, and only for keys that may use every one."""
    if phone_number_id is None:
        require_unlimited(caller_of(request))
        return None
    return (await own_number(request, phone_number_id)).phone_number_id


async def _own(request: Request, reply_id: str) -> QuickReply:
    reply, caller = await services_of(request).quick_replies.get(reply_id), caller_of(request)
    if reply is None or (reply.phone_number_id is not None and not caller.may_use(reply.phone_number_id)):
        raise RequestRefused("There is no such quick reply.", code="not_found")
    if reply.phone_number_id is None:
        require_unlimited(caller)
    return reply
