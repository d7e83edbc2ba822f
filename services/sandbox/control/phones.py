"""`/_sandbox/phones`: what phones have, what their owners write, how they behave.

Process: sandbox.
"""

from aiohttp import web
from pydantic import ValidationError

from services.sandbox.control.answers import MOST_LISTED, ControlRefused, answer, count_of, numbers_of, object_of, told
from services.sandbox.wire.ids import user_id_of
from services.sandbox.wire.shapes import Json, digits_of
from services.sandbox.world.behaviour import STANDARD, Behaviour
from services.sandbox.world.customer import Customer
from services.sandbox.world.life import Life
from services.sandbox.world.phones import EVERY_PHONE, USER_ID, Phone
from services.sandbox.world.world import World


class PhonesControl:
    """Handlers of the control API that are about phones.

    Each takes `numbers=1,2`: then it shows what phones have from and for these numbers of the business, and changes
    only phones that have spoken with no other one. Panal's console asks so for a key that is limited to some numbers.
    """

    def __init__(self, world: World, life: Life, customer: Customer) -> None:
        self._world = world
        self._life = life
        self._customer = customer

    async def listed(self, request: web.Request) -> web.Response:
        """GET /_sandbox/phones: every phone that had a message or has a script."""
        numbers = numbers_of(request)
        scripts = self._world.phones.scripted() if numbers is None else {}
        counts = {row["wa_id"]: row for row in self._world.messages.counts(numbers)}
        keys = [*counts, *(key for key in scripts if key not in counts)]
        found = [{"wa_id": key, "received": 0, "written": 0, **counts.get(key, {})} for key in keys]
        return answer(found)

    async def messages(self, request: web.Request) -> web.Response:
        """GET /_sandbox/phones/{wa_id}/messages: what the phone has; `?include=waiting` adds what it has not yet."""
        phone = self._phone(request)
        with_waiting = "include" in request.query
        limit = count_of(request, "limit", MOST_LISTED)
        found = self._world.messages.listed(
            phone.key, with_waiting=with_waiting, limit=limit, numbers=numbers_of(request)
        )
        return answer(found)

    async def write(self, request: web.Request) -> web.Response:
        """POST /_sandbox/phones/{wa_id}/messages: the person writes to the business."""
        message, numbers = await object_of(request), numbers_of(request)
        phone = self._phone(request)
        spoken = self._world.messages.numbers_of(phone.key) if numbers is not None else frozenset()
        if numbers is not None and spoken and spoken.isdisjoint(numbers):
            raise ControlRefused(f"{phone.key} is a customer of other numbers.", status=404)
        first = self._world.options.number
        default = first if numbers is None or first in numbers else min(numbers, default=first)
        number = str(message.pop("phone_number_id", default))
        is_foreign = numbers is not None and number not in numbers
        if is_foreign or self._world.numbers.get(number) is None:
            raise ControlRefused(f"phone_number_id: there is no number {number}.", status=404)
        if numbers is not None and message.get("type") == "system":
            raise ControlRefused("type: a person moves to another phone for every number, not for some.", status=403)
        verdict = self._world.rules.decide(request.path, phone.key, str(message.get("type") or "text"))
        try:
            wamid = self._customer.write(phone, message, phone_number_id=number, verdict=verdict)
        except ValueError as error:
            raise ControlRefused(str(error)) from error
        await self._world.settled()
        return answer({"wamid": wamid})

    async def shown(self, request: web.Request) -> web.Response:
        """GET /_sandbox/phones/{wa_id}: its behaviour and its user id."""
        key = self._key(request)
        if not self._is_within(key, numbers_of(request)):
            return answer({"wa_id": key, **STANDARD.model_dump()})
        return answer(_card(key, self._world.phones.behaviour_of(key)))

    async def script(self, request: web.Request) -> web.Response:
        """PUT /_sandbox/phones/{wa_id}: change the keys that are given; `*` is every phone without its own script."""
        key = self._own_key(request)
        try:
            before, after = self._world.phones.script(key, await object_of(request))
        except ValidationError as error:
            raise told(error) from error
        if key != EVERY_PHONE:
            self._life.behaves(key, before=before, after=after)
        await self._world.settled()
        return answer(_card(key, after))

    async def unscript(self, request: web.Request) -> web.Response:
        """DELETE /_sandbox/phones/{wa_id}: back to the standard behaviour."""
        key = self._own_key(request)
        before = self._world.phones.behaviour_of(key)
        self._world.phones.unscript(key)
        if key != EVERY_PHONE:
            self._life.behaves(key, before=before, after=self._world.phones.behaviour_of(key))
        await self._world.settled()
        return answer({"success": True})

    def _own_key(self, request: web.Request) -> str:
        """A phone that this call may change. One that speaks with other numbers as well would change for them, too."""
        key = self._key(request)
        if not self._is_within(key, numbers_of(request)):
            raise ControlRefused(f"{key!r} speaks with other numbers as well, or has a script.", status=403)
        return key

    def _is_within(self, key: str, numbers: frozenset[str] | None) -> bool:
        """Is it a phone of these numbers alone? A phone without messages is, unless it has a script."""
        if numbers is None:
            return True
        if key == EVERY_PHONE:
            return False
        spoken = self._world.messages.numbers_of(key)
        return spoken <= numbers and (bool(spoken) or key not in self._world.phones.scripted())

    def _key(self, request: web.Request) -> str:
        named = request.match_info["wa_id"]
        return EVERY_PHONE if named == EVERY_PHONE else self._phone(request).key

    def _phone(self, request: web.Request) -> Phone:
        named = request.match_info["wa_id"]
        if USER_ID.fullmatch(named):
            return self._world.phones.by_user_id(named)
        digits = digits_of(named)
        if not 5 <= len(digits) <= 20:
            raise ControlRefused(f"{named!r} is not a phone: digits with country code, or a user id.", status=404)
        return self._world.phones.by_number(digits)


def _card(key: str, behaviour: Behaviour) -> Json:
    card: Json = {"wa_id": key}
    if key.isdecimal():
        card["user_id"] = user_id_of(key)
    return {**card, **behaviour.model_dump()}
