"""`POST /{phone_number_id}/messages`: check it as Meta does, take it, and let its phone's behaviour do the rest.

Process: sandbox.

Source: Meta, "Messages API" and "Error codes"; `checks` holds the field limits.
"""

import re
from dataclasses import dataclass

from services.sandbox.checks.message import Checked, check_marketing, check_message, check_status_call, media_in
from services.sandbox.graph.call import SUCCESS, Answer, Call
from services.sandbox.graph.context import GraphContext
from services.sandbox.graph.flows import check_flow
from services.sandbox.graph.media import require_media
from services.sandbox.graph.templates_match import template_in_use
from services.sandbox.wire.codes import row_of
from services.sandbox.wire.faults import GraphFault, invalid, missing
from services.sandbox.wire.shapes import Json, digits_of
from services.sandbox.wire.statuses import WINDOW_S, price_of
from services.sandbox.world.life import LateError
from services.sandbox.world.messages import RECEIVED, WRITTEN, Facts, Message
from services.sandbox.world.phones import USER_ID, Phone
from services.sandbox.world.rate_limits import PAIR_BURST, PAIR_PERIOD_S
from services.sandbox.world.world import World

_NUMBER_WRITING = re.compile(r"[+\d][\d\s().-]*")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets it: the phone, and the words in which the caller named it."""

    phone: Phone
    named: str
    is_user_id: bool
    group_id: str | None = None


async def post_messages(context: GraphContext, call: Call) -> Answer:
    """A send, or a read mark with or without typing indicator."""
    world = context.world
    number = world.numbers.get(call.node)
    if number is None:
        raise call.no_such_object()
    if number.get("state") != "CONNECTED":
        raise GraphFault(133010)
    body = call.body
    _check_product(body)
    if body.get("status") is not None:
        return _mark_read(world, call)
    return await _send(context, call, number, check_message(body))


async def post_marketing_messages(context: GraphContext, call: Call) -> Answer:
    """The same for marketing templates alone. Source: Meta, "Marketing Messages API": 131055, 134100."""
    number = context.world.numbers.get(call.node)
    if number is None:
        raise call.no_such_object()
    _check_product(call.body)
    message = check_message(call.body)
    if message.kind != "template":
        raise GraphFault(131055)
    if template_in_use(context.world, number["waba"], message.content)["category"] != "MARKETING":
        raise GraphFault(134100)
    return await _send(context, call, number, message, marketing=check_marketing(call.body))


async def _send(
    context: GraphContext, call: Call, number: Json, message: Checked, *, marketing: Json | None = None
) -> Answer:
    """``marketing``: what a message of the Marketing Messages API has beside the template."""
    world, body = context.world, call.body
    recipient = _recipient_of(world, body)
    phone = recipient.phone
    if phone.key == digits_of(number["display_phone_number"]):
        raise GraphFault(131021)
    _check_pace(world, call.node, phone)
    template = template_in_use(world, number["waba"], message.content) if message.kind == "template" else None
    if message.kind == "interactive" and message.content["type"] == "flow":
        check_flow(context, message.content)
    late = _late_error(world, call, message, phone) or await _media_error(context, call, message)
    is_open = _is_window_open(world, phone, call.node)
    if late is None and template is None and not is_open:
        late = LateError(131047)
    category = template["category"] if template else None
    if marketing is not None:
        category = "MARKETING_LITE"
    price = price_of(message.kind, category, is_window_open=is_open)
    n = world.messages.next_n()
    wamid = world.ids.wamid(phone.key, n, is_inbound=False)
    biz = message.biz_opaque_callback_data
    kept = Message(
        phone=phone.key,
        number=call.node,
        wamid=wamid,
        at=world.now(),
        direction=RECEIVED,
        type=message.kind,
        status="sent",
        waits=False,
        body={**message.shown(), **(marketing or {})},
        facts=Facts(biz, price.category, price.is_billable, call.verdict.extra_copies, call.verdict.shuffles),
    )
    context.life.begin(n, kept, phone=phone, late=late)
    return Answer(_success(recipient, wamid, is_template=template is not None), to=phone.key, wamid=wamid, biz=biz)


def _check_product(body: Json) -> None:
    product = body.get("messaging_product")
    if product is None:
        raise missing("messaging_product")
    if product != "whatsapp":
        raise GraphFault(100, f'Param messaging_product must be one of {{WHATSAPP}} - got "{product}".')


def _mark_read(world: World, call: Call) -> Answer:
    wamid = check_status_call(call.body)
    message = world.messages.get(wamid)
    if message is None or message.direction != WRITTEN or message.number != call.node:
        raise invalid(f"message_id: no message from a customer has the id {wamid}.")
    world.messages.mark_seen(message)
    return Answer(SUCCESS, to=message.phone, wamid=wamid)


def _recipient_of(world: World, body: Json) -> Recipient:
    to = body.get("to")
    if to is None or to == "":
        user_id = body.get("recipient")
        if user_id is None or user_id == "":
            raise missing("to")
        if not USER_ID.fullmatch(str(user_id)):
            raise invalid("recipient: not a business-scoped user id.")
        return Recipient(world.phones.by_user_id(str(user_id)), str(user_id), is_user_id=True)
    named = str(to)
    if isinstance(to, str) and USER_ID.fullmatch(to):
        return Recipient(world.phones.by_user_id(to), to, is_user_id=True)
    if body.get("recipient_type") == "group":
        return Recipient(world.phones.by_user_id(named), named, is_user_id=False, group_id=named)
    digits = digits_of(named)
    if isinstance(to, bool | dict | list) or not _NUMBER_WRITING.fullmatch(named.strip()) or not 7 <= len(digits) <= 15:
        raise invalid("to: not a phone number. Country code and number, 7 to 15 digits.")
    return Recipient(world.phones.by_number(digits), named, is_user_id=False)


def _check_pace(world: World, number: str, phone: Phone) -> None:
    settings = world.settings.now
    now_s = world.now()
    if settings.throughput_per_s:
        per_s = settings.throughput_per_s
        if not world.pace.admits(f"number {number}", now_s, period_s=1 / per_s, burst=per_s):
            raise GraphFault(130429)
    if settings.pair_limit:
        key = f"pair {number} {phone.key}"
        if not world.pace.admits(key, now_s, period_s=PAIR_PERIOD_S, burst=PAIR_BURST):
            raise GraphFault(131056)


def _late_error(world: World, call: Call, message: Checked, phone: Phone) -> LateError | None:
    """The error that comes in a status: asked for by a rule, by the phone's script, or by a reaction to nothing."""
    rule = call.verdict.error
    if rule is not None and rule.error is not None:
        return LateError(rule.error, rule.details)
    number = world.numbers.get(call.node) or {}
    if phone.key in number.get("blocked", {}):
        return LateError(130403)
    fails = phone.behaviour.fails
    if fails is not None:
        if not row_of(fails).is_late:
            raise GraphFault(fails)
        return LateError(fails)
    if message.kind == "reaction":
        target = world.messages.get(message.content["message_id"])
        if target is None or target.phone != phone.key or target.type == "reaction":
            return LateError(131009, "reaction: the message it belongs to is unknown, deleted or itself a reaction.")
    return None


async def _media_error(context: GraphContext, call: Call, message: Checked) -> LateError | None:
    """An unknown media id is refused at once; a link that cannot be fetched fails late."""
    for kind, media in media_in(message):
        if media.get("id") not in (None, ""):
            require_media(context, media["id"], kind, call.node)
        else:
            trouble = await context.links.trouble_with(media["link"], kind)
            if trouble is not None:
                return trouble
    return None


def _is_window_open(world: World, phone: Phone, number: str) -> bool:
    if phone.behaviour.window != "auto":
        return phone.behaviour.window == "open"
    at = world.messages.last_written_at(phone.key, number)
    return at is not None and world.now() < at + WINDOW_S


def _success(recipient: Recipient, wamid: str, *, is_template: bool) -> Json:
    contact: Json = {"input": recipient.named}
    if recipient.is_user_id:
        contact["user_id"] = recipient.phone.person.user_id
    else:
        contact["wa_id"] = recipient.phone.key
    message: Json = {"id": wamid}
    if recipient.group_id is not None:
        message["group_id"] = recipient.group_id
    if is_template:
        message["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}
