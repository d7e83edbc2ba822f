"""`/_sandbox/notifications`, `templates`, `numbers` and the handshake: Meta's own news, when a test wants some.

Process: sandbox.
"""

from aiohttp import web

from services.sandbox.control.answers import ControlRefused, answer, object_of
from services.sandbox.graph.callbacks import verified
from services.sandbox.wire.faults import GraphFault, status_error
from services.sandbox.wire.notifications import envelope, errors_event
from services.sandbox.wire.shapes import Json
from services.sandbox.world.reviews import STATUSES, Reviews
from services.sandbox.world.seeds import add_number
from services.sandbox.world.world import World


def _codes(value: object) -> list[int]:
    if isinstance(value, list) and all(isinstance(code, int) for code in value):
        return value
    raise ControlRefused("errors: a list of whole numbers.")


class EventsControl:
    """Handlers of the control API that are about Meta's side."""

    def __init__(self, world: World, reviews: Reviews) -> None:
        self._world = world
        self._reviews = reviews

    async def notify(self, request: web.Request) -> web.Response:
        """POST /_sandbox/notifications: post anything, signed.

        A whole envelope (`object`, `entry`) goes as it is, so batches can be made; `{"field", "value"}` is put into
        one; `{"errors": [code, …]}` becomes trouble of the account.
        """
        body = await object_of(request)
        world = self._world
        number = str(body.get("phone_number_id") or world.options.number)
        sender = world.sender_of(number)
        if "entry" in body:
            event: Json = body
        elif "errors" in body:
            event = errors_event(sender, [status_error(code) for code in _codes(body["errors"])])
        elif isinstance(body.get("field"), str) and isinstance(body.get("value"), dict):
            event = envelope(sender.waba_id, body["field"], body["value"], time_s=int(world.now()))
        else:
            raise ControlRefused("Give a whole envelope (object, entry), or field and value, or errors.")
        world.notify(event, waba_id=sender.waba_id, phone_number_id=number)
        await world.settled()
        return answer({"success": True})

    async def decide(self, request: web.Request) -> web.Response:
        """POST /_sandbox/templates/{id}: `{"status": "APPROVED" …, "reason": "…"}`."""
        body = await object_of(request)
        status = str(body.get("status") or "").upper()
        if status not in STATUSES:
            raise ControlRefused(f"status: one of {', '.join(STATUSES)}")
        template_id = request.match_info["id"]
        template = self._reviews.decide(template_id, status, reason=str(body.get("reason") or "NONE"))
        if template is None:
            raise ControlRefused(f"There is no template {template_id}.", status=404)
        await self._world.settled()
        return answer({"success": True})

    async def change_number(self, request: web.Request) -> web.Response:
        """PUT /_sandbox/numbers/{id}: a second number, or another state, name or quality of one that is there."""
        body = await object_of(request)
        number_id = request.match_info["id"]
        known = ("display_phone_number", "verified_name", "state", "quality_rating", "throughput", "waba")
        wrong = [key for key in body if key not in known]
        if wrong or not number_id.isdecimal() or len(number_id) > 15:
            raise ControlRefused(f"The id has up to 15 digits; known keys are {', '.join(known)}.")
        world = self._world
        waba_id = str(body.get("waba") or world.options.waba)
        if world.accounts.get(waba_id) is None:
            world.accounts.put(waba_id, {"id": waba_id, "name": "Sandbox account"})
        if world.numbers.get(number_id) is None:
            if not body.get("display_phone_number"):
                raise ControlRefused("display_phone_number: a new number needs one.")
            display = str(body["display_phone_number"])
            add_number(world, number_id, waba_id=waba_id, display_phone_number=display)
        world.numbers.put(number_id, {**(world.numbers.get(number_id) or {}), **body})
        await world.settled()
        return answer({"id": number_id, **body})

    async def handshake(self, request: web.Request) -> web.Response:
        """POST /_sandbox/handshake: verify the webhook as Meta does when it is registered."""
        options = self._world.options
        url = self._world.webhook_of(options.waba, options.number)
        if not url:
            raise ControlRefused("There is no webhook url.")
        try:
            await verified(url, options.verify_token)
        except GraphFault as fault:
            return answer({"success": False, "reason": fault.title})
        return answer({"success": True})
