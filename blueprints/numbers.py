"""``/v1/numbers``: the phone numbers that we operate.

Process: worker.
"""

from sanic import Blueprint, HTTPResponse, Request

from blueprints.reading import caller_of, needs, services_of
from blueprints.rendering import json_response
from services.keys import Scope

bp = Blueprint("numbers", url_prefix="/numbers")


@bp.get("/")
@needs(Scope.NUMBERS)
async def list_numbers(request: Request) -> HTTPResponse:
    """Every number that this key may see."""
    caller = caller_of(request)
    numbers = [number for number in await services_of(request).numbers.all() if caller.may_use(number.phone_number_id)]
    return json_response(
        {
            "data": [
                {
                    "phone_number_id": number.phone_number_id,
                    "waba_id": number.waba_id,
                    "display_phone_number": number.display_phone_number,
                    "link": number.link,
                    "is_default": number.is_default,
                }
                for number in numbers
            ],
            "next_cursor": None,
        }
    )
