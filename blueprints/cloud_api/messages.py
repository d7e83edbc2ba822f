"""The drop-in's `POST /{phone_number_id}/messages`: the Cloud API's own body and its own answer.

Process: worker.
"""

from typing import Any

from sanic import HTTPResponse, Request

from blueprints.cloud_api.requests import graph_body, graph_caller, number_of
from blueprints.rendering import json_response
from blueprints.request_reading import idempotency_of, services_of
from config.errors import RequestRefused
from services.cloud_api import GraphFault
from services.commands import CommandTaken
from services.keys import Caller, Scope
from services.messages import (
    Accepted,
    Priority,
    SendRequest,
    as_marketing_message,
    client_wamid,
    is_read_mark,
    parse_content,
    parse_read_mark,
)
from services.numbers import Number

NO_SUCH_MESSAGE = 131009


async def post_messages(request: Request, node: str) -> HTTPResponse:
    """Accept one message, or pass a read mark on.

    An ``Idempotency-Key``, which Meta does not have, makes a send safe to repeat: it gets the first answer again.
    """
    caller = await graph_caller(request, Scope.MESSAGES_SEND)
    number = await number_of(request, node, caller)
    raw = graph_body(request)
    if is_read_mark(raw):
        return await _mark_read(request, raw, number, caller)
    order = SendRequest(parse_content(raw), phone_number_id=number.phone_number_id)
    return await _accepted(request, order, caller, raw)


async def post_marketing_messages(request: Request, node: str) -> HTTPResponse:
    """The same for marketing templates alone. Source: Meta, "Marketing Messages API": 131055, 134100."""
    caller = await graph_caller(request, Scope.MESSAGES_SEND)
    number = await number_of(request, node, caller)
    raw = graph_body(request)
    content = parse_content(raw)
    if content.kind != "template":
        raise GraphFault(131055)
    content = as_marketing_message(content, raw)
    services, template = services_of(request), content.payload["template"]
    known = await services.templates.find(number.waba_id, template["name"], template["language"]["code"])
    if known is not None and known.category != "MARKETING":
        raise GraphFault(134100)
    order = SendRequest(content, phone_number_id=number.phone_number_id, priority=Priority.BULK)
    return await _accepted(request, order, caller, raw)


async def _accepted(request: Request, order: SendRequest, caller: Caller, raw: dict[str, Any]) -> HTTPResponse:
    acceptance = services_of(request).acceptance
    accepted = await acceptance.accept(order, caller, idempotency_of(request, request.path), is_dropin=True)
    headers = {"idempotency-replayed": "true"} if accepted.is_replay else {}
    return json_response(sent_json(accepted, named=raw.get("to") or raw.get("recipient")), headers=headers)


async def _mark_read(request: Request, raw: dict[str, Any], number: Number, caller: Caller) -> HTTPResponse:
    mark = parse_read_mark(raw)
    data = {"phone_number_id": number.phone_number_id, "wamid": mark.wamid, "shows_typing": mark.shows_typing}
    try:
        await services_of(request).commands.submit("message.mark_read", data, by=caller.key_id, runs_concurrently=True)
    except CommandTaken:
        pass  # it is stored, and will be done
    except RequestRefused as refusal:
        if refusal.code != "not_found":
            raise
        raise GraphFault(NO_SUCH_MESSAGE, f"message_id: {refusal.text}") from refusal
    return json_response({"success": True})


def sent_json(accepted: Accepted, *, named: object) -> dict[str, Any]:
    """Meta's answer to a send. The id is ours, known before WhatsApp has given its own; statuses carry the same.

    Source: Meta, "Messages API", response; business-scoped user ids have no ``wa_id`` (2026-06-29).
    """
    contact = {"input": str(named)}
    if accepted.recipient_kind != "group":
        contact["user_id" if accepted.recipient_kind == "user_id" else "wa_id"] = accepted.to or ""
    entry = {"id": client_wamid(accepted.id)}
    if accepted.recipient_kind == "group":
        entry["group_id"] = accepted.to or ""
    if accepted.kind == "template":
        entry["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [entry]}
