"""``/v1/messages``: accept, read, list.

Process: worker.
"""

from datetime import datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import accepted_json, json_response, message_json, page_response, refused_json
from blueprints.request_reading import (
    caller_of,
    choice,
    cursor_of,
    idempotency_of,
    json_object,
    limit_of,
    needs,
    own_number,
    services_of,
    word,
)
from config.errors import Fault, RequestRefused
from services.keys import Scope
from services.messages import (
    Direction,
    Message,
    MessageFilter,
    MessageStatus,
    SendRequest,
    parse_send_at,
    parse_send_request,
)

bp = Blueprint("messages", url_prefix="/messages")


@bp.post("/")
@needs(Scope.MESSAGES_SEND)
async def send_message(request: Request) -> HTTPResponse:
    """Accept one message: 202 when it is stored."""
    services = services_of(request)
    order = parse_send_request(json_object(request), now=services.clock.now())
    accepted = await services.acceptance.accept(order, caller_of(request), idempotency_of(request))
    headers = {"location": f"/v1/messages/{accepted.id}"}
    if accepted.is_replay:
        headers["idempotency-replayed"] = "true"
    return json_response(accepted_json(accepted), status=202, headers=headers)


@bp.post("/batch")
@needs(Scope.MESSAGES_SEND)
async def send_batch(request: Request) -> HTTPResponse:
    """Accept several messages; one answer each, in order: the message, or why it was refused."""
    services = services_of(request)
    listed = json_object(request).get("messages")
    most = services.settings.max_batch
    if not isinstance(listed, list) or not listed:
        raise RequestRefused("The batch is empty.", faults=[Fault("messages", "must be a list of messages")])
    if len(listed) > most:
        raise RequestRefused(
            f"A batch has at most {most} messages.",
            code="batch_too_large",
            faults=[Fault("messages", f"has {len(listed)} items")],
        )
    now = services.clock.now()
    orders = [_order_of(item, position, now) for position, item in enumerate(listed)]
    accepted = await services.acceptance.accept_all(orders, caller_of(request), idempotency_of(request))
    answers = [refused_json(one) if isinstance(one, RequestRefused) else accepted_json(one) for one in accepted]
    taken = [one for one in accepted if not isinstance(one, RequestRefused)]
    is_replay = bool(taken) and all(one.is_replay for one in taken)
    headers = {"idempotency-replayed": "true"} if is_replay else {}
    return json_response({"data": answers}, status=202 if taken else 422, headers=headers)


def _order_of(item: object, position: int, now: datetime) -> SendRequest | RequestRefused:
    """One order of a batch, or why it is none."""
    path = f"messages[{position}]"
    if not isinstance(item, dict):
        return RequestRefused("The message is not valid.", faults=[Fault(path, "must be an object")])
    try:
        return parse_send_request(item, now=now, path=f"{path}.")
    except RequestRefused as refusal:
        return refusal


@bp.get("/<message_id:str>")
@needs(Scope.MESSAGES_READ)
async def get_message(request: Request, message_id: str) -> HTTPResponse:
    """One message with its timeline."""
    return json_response(message_json(await _own(request, message_id)))


@bp.get("/")
@needs(Scope.MESSAGES_READ)
async def list_messages(request: Request) -> HTTPResponse:
    """Messages, newest first."""
    services, caller, limit = services_of(request), caller_of(request), limit_of(request)
    number = word(request, "from")
    if number is not None:
        number = (await own_number(request, number)).phone_number_id
    wanted = MessageFilter(
        phone_number_id=number,
        numbers=caller.numbers,
        to=word(request, "to"),
        status=choice(request, "status", MessageStatus),
        direction=choice(request, "direction", Direction),
        conversation_id=word(request, "conversation_id"),
        campaign_id=word(request, "campaign_id"),
        before=cursor_of(request),
    )
    found = await services.messages.page(wanted, limit=limit)
    items = [message_json(message, has_timeline=False) for message in found if caller.may_use(message.phone_number_id)]
    return page_response(items, limit=limit, last=found[-1].order if found else None)


@bp.delete("/<message_id:str>")
@needs(Scope.MESSAGES_SEND)
async def cancel_message(request: Request, message_id: str) -> HTTPResponse:
    """Cancel what has not left."""
    await _own(request, message_id)
    result = await _command(request, "message.cancel", message_id)
    return json_response(result)


@bp.patch("/<message_id:str>")
@needs(Scope.MESSAGES_SEND)
async def change_message(request: Request, message_id: str) -> HTTPResponse:
    """Change when a scheduled message is sent."""
    await _own(request, message_id)
    send_at = parse_send_at(json_object(request), now=services_of(request).clock.now())
    result = await services_of(request).commands.submit(
        "message.reschedule", {"message_id": message_id, "send_at": send_at}, by=caller_of(request).key_id
    )
    return json_response(result)


@bp.post("/<message_id:str>/retry")
@needs(Scope.MESSAGES_SEND)
async def retry_message(request: Request, message_id: str) -> HTTPResponse:
    """Send again what failed, is held or is uncertain."""
    await _own(request, message_id)
    result = await _command(request, "message.retry", message_id)
    return json_response(result, status=202)


async def _own(request: Request, message_id: str) -> Message:
    message = await services_of(request).messages.get(message_id)
    if message is None or not caller_of(request).may_use(message.phone_number_id):
        raise RequestRefused("There is no such message.", code="not_found")
    return message


async def _command(request: Request, kind: str, message_id: str) -> dict[str, Any]:
    return await services_of(request).commands.submit(kind, {"message_id": message_id}, by=caller_of(request).key_id)
