"""``/v1/numbers``: the phone numbers that we operate.

Process: worker.
"""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response
from blueprints.request_reading import caller_of, json_object, needs, own_number, services_of
from services.keys import Scope
from services.numbers import Allowance, Number, OwnPace, own_pace, parse_settings
from services.sending import QuietHours

bp = Blueprint("numbers", url_prefix="/numbers")


@bp.get("/")
@needs(Scope.NUMBERS)
async def list_numbers(request: Request) -> HTTPResponse:
    """Every number that this key may see."""
    caller = caller_of(request)
    numbers = [number for number in await services_of(request).numbers.all() if caller.may_use(number.phone_number_id)]
    return json_response({"data": [number_json(number) for number in numbers], "next_cursor": None})


@bp.get("/<phone_number_id:str>")
@needs(Scope.NUMBERS)
async def get_number(request: Request, phone_number_id: str) -> HTTPResponse:
    """One number."""
    return json_response(number_json(await _own(request, phone_number_id)))


@bp.patch("/<phone_number_id:str>")
@needs(Scope.NUMBERS)
async def change_number(request: Request, phone_number_id: str) -> HTTPResponse:
    """Settings of this number alone: rate, daily recipients, quiet hours."""
    services, number = services_of(request), await _own(request, phone_number_id)
    changes = parse_settings(json_object(request), parse_quiet_hours=QuietHours.parse)
    data = {"phone_number_id": number.phone_number_id, "changes": changes}
    await services.commands.submit("number.update", data, by=caller_of(request).key_id)
    services.numbers.forget()
    return json_response(number_json(await _own(request, phone_number_id)))


@bp.get("/<phone_number_id:str>/limits")
@needs(Scope.NUMBERS)
async def get_limits(request: Request, phone_number_id: str) -> HTTPResponse:
    """How fast it may send: our own rate, what WhatsApp allows it, and what holds it now."""
    number, limits = await _own(request, phone_number_id), services_of(request).number_limits
    return json_response(
        limits_json(number, own_pace(number, limits.pace), await limits.allowance(number.phone_number_id))
    )


@bp.post("/<phone_number_id:str>/pause")
@needs(Scope.NUMBERS)
async def pause_number(request: Request, phone_number_id: str) -> HTTPResponse:
    """Let nothing leave from this number; messages are still accepted."""
    return await _command(request, "number.pause", phone_number_id)


@bp.post("/<phone_number_id:str>/resume")
@needs(Scope.NUMBERS)
async def resume_number(request: Request, phone_number_id: str) -> HTTPResponse:
    """Send again from this number; a hold of the platform ends, too."""
    return await _command(request, "number.resume", phone_number_id)


def number_json(number: Number) -> dict[str, Any]:
    """A number as everybody outside sees it."""
    return {
        "phone_number_id": number.phone_number_id,
        "waba_id": number.waba_id,
        "display_phone_number": number.display_phone_number,
        "link": number.link,
        "is_default": number.is_default,
        "is_paused": number.is_paused,
        "hold_reason": number.hold_reason,
        "hold_until": number.hold_until,
        "verified_name": number.verified_name,
        "quality": number.quality,
        "messaging_limit": number.messaging_limit,
        "throughput": number.throughput,
        "settings": {
            "rate_per_s": number.rate_per_s,
            "daily_recipients": number.daily_recipients,
            "quiet_hours": number.quiet_hours,
        },
    }


async def _command(request: Request, kind: str, phone_number_id: str) -> HTTPResponse:
    number = await _own(request, phone_number_id)
    data = {"phone_number_id": number.phone_number_id}
    result = await services_of(request).commands.submit(kind, data, by=caller_of(request).key_id)
    services_of(request).numbers.forget()
    return json_response(result)


def limits_json(number: Number, pace: OwnPace, allowance: Allowance) -> dict[str, Any]:
    """Limits as the console shows them. What WhatsApp does not say is null."""
    info, fault = allowance.info, allowance.fault
    return {
        "phone_number_id": number.phone_number_id,
        "pace": {
            "messages_per_s": pace.per_s,
            "pair_period_s": pace.pair_period_s,
            "pair_burst": pace.pair_burst,
            "daily_recipients": pace.daily_recipients or None,
            "quiet_hours": pace.quiet_hours or None,
        },
        "whatsapp": {
            "asked_at": allowance.asked_at,
            "verified_name": info.verified_name if info else None,
            "status": info.status if info else None,
            "quality_rating": info.quality_rating if info else None,
            "throughput_level": info.throughput_level if info else None,
            "messaging_limit": info.messaging_limit if info else None,
            "error": {"code": fault.code, "detail": fault.text} if fault else None,
        },
        "hold": {"reason": number.hold_reason, "until": number.hold_until} if number.hold_reason else None,
        "is_paused": number.is_paused,
    }


async def _own(request: Request, phone_number_id: str) -> Number:
    return await own_number(request, phone_number_id)
