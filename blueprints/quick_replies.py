"""``/v1/quick-replies``: sentences that are written often, shared by everybody who answers.

Process: worker.
"""

import re
from dataclasses import replace
from typing import Any, Final

from sanic import Blueprint, HTTPResponse, Request

from blueprints.access import require_unlimited
from blueprints.rendering import json_response
from blueprints.request_reading import caller_of, json_object, needs, own_number, services_of, word
from config.errors import Fault, RequestRefused
from services.console import MAX_SHORTCUT, MAX_TEXT, QuickReply
from services.keys import Scope

bp = Blueprint("quick_replies", url_prefix="/quick-replies")

FIELDS: Final = ("text", "shortcut", "phone_number_id")
SHORTCUT: Final = re.compile(rf"[\w-]{{1,{MAX_SHORTCUT}}}")


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
    values = _values(json_object(request), is_new=True)
    number = await _number(request, values.get("phone_number_id"))
    reply = await services_of(request).quick_replies.create(
        text=values["text"],
        shortcut=values.get("shortcut"),
        phone_number_id=number,
        by=caller_of(request).key_id,
    )
    return json_response(quick_reply_json(reply), status=201)


@bp.patch("/<reply_id:str>")
@needs(Scope.CONSOLE)
async def update_quick_reply(request: Request, reply_id: str) -> HTTPResponse:
    """Another text, shortcut or number."""
    reply = await _own(request, reply_id)
    values = _values(json_object(request), is_new=False)
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


def _values(body: dict[str, Any], *, is_new: bool) -> dict[str, Any]:
    """The fields that were given. Raises ``RequestRefused`` with every fault."""
    faults = [Fault(name, "is not a field of a quick reply") for name in body if name not in FIELDS]
    values: dict[str, Any] = {name: body[name] for name in FIELDS if name in body}
    text, shortcut, number = values.get("text"), values.get("shortcut"), values.get("phone_number_id")
    if is_new or "text" in values:
        if isinstance(text, str) and 0 < len(text.strip()) <= MAX_TEXT:
            values["text"] = text.strip()
        else:
            faults.append(Fault("text", f"must have 1 to {MAX_TEXT} characters"))
    if shortcut is not None and not (isinstance(shortcut, str) and SHORTCUT.fullmatch(shortcut)):
        faults.append(Fault("shortcut", f"must be null, or 1 to {MAX_SHORTCUT} letters, digits, _ and -"))
    if number is not None and not isinstance(number, str):
        faults.append(Fault("phone_number_id", "must be null, or the id of a number"))
    if not faults and not values:
        faults.append(Fault("", "changes nothing"))
    if faults:
        raise RequestRefused("The quick reply is not valid.", faults=faults)
    return values


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
