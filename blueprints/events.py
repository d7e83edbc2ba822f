"""``/v1/events``: the numbered log, with a long poll.

Process: worker.
"""

from sanic import Blueprint, HTTPResponse, Request

from blueprints.event_stream import may_listen
from blueprints.rendering import json_response
from blueprints.request_reading import caller_of, limit_of, needs, own_number, services_of, whole_number, word
from config.errors import Fault, RequestRefused
from services.events import event_json, may_read
from services.keys import Scope

bp = Blueprint("events", url_prefix="/events")

MAX_SEQ = 2**53


@bp.get("/")
@needs(Scope.EVENTS_READ)
async def read_events(request: Request) -> HTTPResponse:
    """Events of a number after ``after``, in order; ``wait_s`` waits for the first one."""
    services, numbers = services_of(request), caller_of(request).numbers
    number = await own_number(request, word(request, "phone_number_id"))
    after = whole_number(request, "after", 0, least=0, most=MAX_SEQ)
    types = [part for part in (word(request, "types", longest=500) or "").split(",") if part]
    limit = limit_of(request)
    page = await services.events.page(
        number.phone_number_id,
        after=after,
        limit=limit,
        types=types,
        wait_s=_wait_s(request),
        recheck=lambda: may_listen(request, number.phone_number_id),
    )
    return json_response(
        {
            "data": [event_json(event) for event in page.events if may_read(event, numbers)],
            "next_after": page.after,
            "phone_number_id": number.phone_number_id,
        }
    )


def _wait_s(request: Request) -> float:
    text = request.args.get("wait_s", "0")
    most = services_of(request).settings.long_poll_max_s
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= most:
        raise RequestRefused(
            "A query parameter is not valid.", faults=[Fault("wait_s", f"must be a number from 0 to {most:g}")]
        )
    return value
