"""Phone numbers and the account they belong to: list, read, register, codes, PIN, settings.

Process: sandbox.

Source: Meta, "Business phone numbers" and "Registration" (2025-12).
"""

import re

from services.sandbox.graph.call import SUCCESS, Answer, Call
from services.sandbox.graph.callbacks import verified
from services.sandbox.graph.context import GraphContext
from services.sandbox.graph.paging import fields_of, page_of
from services.sandbox.wire.faults import GraphFault, missing
from services.sandbox.wire.shapes import Json

STANDARD_FIELDS = ("verified_name", "code_verification_status", "display_phone_number", "quality_rating", "id")
LISTED_FIELDS = (*STANDARD_FIELDS, "platform_type", "throughput", "last_onboarded_time", "webhook_configuration")
PIN = re.compile(r"\d{6}")


async def list_numbers(context: GraphContext, call: Call) -> Answer:
    world = context.world
    if world.accounts.get(call.node) is None:
        raise call.no_such_object()
    mine = [shown(number) for _, number in world.numbers.items() if number["waba"] == call.node]
    page = page_of(call, mine)
    page["data"] = [fields_of(call, one, standard=LISTED_FIELDS) for one in page["data"]]
    return Answer(page)


async def get_number(context: GraphContext, call: Call) -> Answer:
    return Answer(fields_of(call, shown(number_of(context, call)), standard=STANDARD_FIELDS))


async def post_number(context: GraphContext, call: Call) -> Answer:
    """A new PIN, or a webhook of its own for this number."""
    number = dict(number_of(context, call))
    if call.body.get("pin") is not None:
        number["pin"] = _pin_of(call)
    wanted = call.body.get("webhook_configuration")
    if isinstance(wanted, dict):
        url = str(wanted.get("override_callback_uri") or "")
        if url:
            await verified(url, str(wanted.get("verify_token") or ""))
        number["webhook_url"] = url
    context.world.numbers.put(call.node, number)
    return Answer(SUCCESS)


async def register(context: GraphContext, call: Call) -> Answer:
    """The first PIN sets it; later ones must be the same (133005)."""
    number = number_of(context, call)
    pin = _pin_of(call)
    if number.get("pin") not in (None, pin):
        raise GraphFault(133005)
    context.world.numbers.put(call.node, {**number, "pin": pin, "state": "CONNECTED"})
    return Answer(SUCCESS)


async def deregister(context: GraphContext, call: Call) -> Answer:
    """Sends are refused with 133010 until it is registered again."""
    context.world.numbers.put(call.node, {**number_of(context, call), "state": "DISCONNECTED"})
    return Answer(SUCCESS)


async def request_code(context: GraphContext, call: Call) -> Answer:
    number_of(context, call)
    if str(call.parameter("code_method") or "").upper() not in ("SMS", "VOICE"):
        raise GraphFault(100, "Param code_method must be one of {SMS, VOICE}.")
    if not call.parameter("language"):
        raise missing("language")
    return Answer(SUCCESS)


async def verify_code(context: GraphContext, call: Call) -> Answer:
    """Any six digits are right: there is no SMS to read them from."""
    number_of(context, call)
    if not PIN.fullmatch(str(call.parameter("code") or "").replace("-", "")):
        raise GraphFault(136025, "The code is not six digits.", title="Verify code error")
    return Answer(SUCCESS)


async def get_account(context: GraphContext, call: Call) -> Answer:
    account = context.world.accounts.get(call.node)
    if account is None:
        raise call.no_such_object()
    card: Json = {
        "id": account["id"],
        "name": account["name"],
        "currency": "USD",
        "timezone_id": "1",
        "message_template_namespace": "sandbox_namespace",
        "account_review_status": "APPROVED",
        "business_verification_status": "verified",
        "country": "US",
        "ownership_type": "SELF",
        "status": "ACTIVE",
        "health_status": _health(account["id"], "WABA", is_well=True),
    }
    standard = ("id", "name", "currency", "timezone_id", "message_template_namespace")
    return Answer(fields_of(call, card, standard=standard))


def number_of(context: GraphContext, call: Call) -> Json:
    """The number that the call is about; GraphFault 100/33 when there is none."""
    number = context.world.numbers.get(call.node)
    if number is None:
        raise call.no_such_object()
    return number


def shown(number: Json) -> Json:
    """Every field of a number that a client may ask for."""
    is_connected = number["state"] == "CONNECTED"
    return {
        "verified_name": number["verified_name"],
        "code_verification_status": "VERIFIED",
        "display_phone_number": written(number["display_phone_number"]),
        "quality_rating": number["quality_rating"],
        "quality_score": {"score": number["quality_rating"]},
        "platform_type": "CLOUD_API",
        "throughput": {"level": number.get("throughput", "STANDARD")},
        "id": number["id"],
        "status": number["state"],
        "name_status": "APPROVED",
        "new_name_status": "NONE",
        "account_mode": "SANDBOX",
        "certificate": "sandbox",
        "country_dial_code": "1",
        "host_platform": "CLOUD_API",
        "is_official_business_account": False,
        "is_on_biz_app": False,
        "is_pin_enabled": number.get("pin") is not None,
        "is_preverified_number": False,
        "last_onboarded_time": "2026-01-01T00:00:00+0000",
        "messaging_limit_tier": "TIER_UNLIMITED",
        "whatsapp_business_manager_messaging_limit": "TIER_UNLIMITED",
        "search_visibility": "VISIBLE",
        "health_status": _health(number["id"], "PHONE_NUMBER", is_well=is_connected),
        "conversational_automation": {"id": number["id"], **number.get("conversational_automation", {})},
        "webhook_configuration": {"phone_number": number.get("webhook_url") or None},
    }


def written(digits: str) -> str:
    """`+1 555-078-3881` for numbers of North America, plus and digits for the others."""
    if len(digits) == 11 and digits.startswith("1"):
        return f"+1 {digits[1:4]}-{digits[4:7]}-{digits[7:]}"
    return f"+{digits}"


def _pin_of(call: Call) -> str:
    pin = call.parameter("pin")
    if pin is None:
        raise missing("pin")
    if not PIN.fullmatch(str(pin)):
        raise GraphFault(100, "Param pin must be six digits.")
    return str(pin)


def _health(node_id: str, kind: str, *, is_well: bool) -> Json:
    word = "AVAILABLE" if is_well else "BLOCKED"
    return {"can_send_message": word, "entities": [{"entity_type": kind, "id": node_id, "can_send_message": word}]}
