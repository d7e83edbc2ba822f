"""What becomes of an accepted message: the statuses that its phone's behaviour gives it, now, later or never.

Process: sandbox.

Steps that lie in the future are rows of the storage, so a restarted sandbox takes them up again.
"""

import asyncio
import logging
from dataclasses import dataclass, replace

from services.sandbox.wire.statuses import Price, status_object
from services.sandbox.world.behaviour import Behaviour
from services.sandbox.world.customer import Customer
from services.sandbox.world.messages import Message
from services.sandbox.world.phones import Phone
from services.sandbox.world.world import Delivery, World

log = logging.getLogger("panal.sandbox")

REPLY = "reply"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LateError:
    """An error that the sender learns from a status, after the 200."""

    code: int
    details: str | None = None


class Life:
    """Moves messages along. The only caller of `Messages.move`."""

    def __init__(self, world: World, customer: Customer) -> None:
        self._world = world
        self._customer = customer
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._last_step_id = 0

    def load(self) -> None:
        """Take up the steps that an earlier process left."""
        self.forget()
        now = self._world.now()
        for step_id, due_at, wamid, step in self._world.storage.rows("SELECT id, due_at, wamid, step FROM steps"):
            self._last_step_id = max(self._last_step_id, step_id)
            self._set_timer(step_id, max(0.0, due_at - now), wamid, step)

    def forget(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def begin(self, n: int, message: Message, *, phone: Phone, late: LateError | None = None) -> None:
        """Keep a message that the business just sent, and start it on its way."""
        behaviour = phone.behaviour
        world = self._world
        if late is not None:
            world.messages.keep(n, replace(message, status="accepted"))
            self._fail_later(message, phone, late)
            return
        takes = behaviour.takes_messages
        is_at_once = takes and not behaviour.delay_ms
        rungs = ladder(message.type, behaviour, is_voice=_is_voice(message)) if is_at_once else []
        last = rungs[-1] if rungs else "sent"
        world.messages.keep(n, replace(message, status=last, waits=not takes and not behaviour.blocked))
        for status in ["sent", *rungs]:
            self._tell(message, phone, status)
        if is_at_once:
            self._reply_later(message, phone)
        elif takes:
            self._later(message.wamid, "delivered", behaviour.delay_ms)

    def behaves(self, key: str, *, before: Behaviour, after: Behaviour) -> None:
        """A phone was scripted anew: what waited for it goes on if it can now."""
        if after.takes_messages and not before.takes_messages:
            for message in self._world.messages.waiting(key):
                self._step(message.wamid, "delivered")
        if after.reads and not before.reads and after.takes_messages:
            for message in self._world.messages.unread(key):
                self._step(message.wamid, "read")

    def _step(self, wamid: str, step: str) -> None:
        world = self._world
        message = world.messages.get(wamid)
        if message is None:
            return
        phone = world.phones.by_key(message.phone)
        behaviour = phone.behaviour
        if step == REPLY:
            self._reply(message, phone)
            return
        if step.startswith(FAILED):
            code, _, details = step.removeprefix(f"{FAILED}:").partition(":")
            world.messages.move(wamid, FAILED)
            self._tell(message, phone, FAILED, LateError(int(code), details or None))
            return
        if step == "delivered" and not behaviour.takes_messages:
            world.messages.move(wamid, "sent", waits=not behaviour.blocked)
            return
        world.messages.move(wamid, step)
        if message.type != "reaction":
            self._tell(message, phone, step)
        rungs = ladder(message.type, behaviour, is_voice=_is_voice(message))
        following = rungs[rungs.index(step) + 1 :] if step in rungs else []
        if following:
            self._later(wamid, following[0], behaviour.delay_ms)
        elif step != "played":
            self._reply_later(message, phone)

    def _tell(self, message: Message, phone: Phone, status: str, late: LateError | None = None) -> None:
        world = self._world
        facts = message.facts
        if message.type == "reaction" and status not in ("sent", FAILED):
            return  # Meta: a reaction only ever gets `sent`
        entry = status_object(
            status,
            wamid=message.wamid,
            at_s=int(world.now()),
            person=phone.person,
            price=Price(facts.category, facts.is_billable),
            biz_opaque_callback_data=facts.biz,
            error_code=late.code if late else None,
            error_details=late.details if late else None,
            has_conversations=world.conversations_shown,
        )
        world.notify_status(
            entry,
            phone_number_id=message.number,
            phone=phone,
            delivery=Delivery(facts.extra_copies, facts.shuffles),
        )

    def _fail_later(self, message: Message, phone: Phone, late: LateError) -> None:
        step = f"{FAILED}:{late.code}:{late.details or ''}"
        if phone.behaviour.delay_ms:
            self._later(message.wamid, step, phone.behaviour.delay_ms)
        else:
            self._world.messages.move(message.wamid, FAILED)
            self._tell(message, phone, FAILED, late)

    def _reply_later(self, message: Message, phone: Phone) -> None:
        if phone.behaviour.replies is None:
            return
        if phone.behaviour.delay_ms:
            self._later(message.wamid, REPLY, phone.behaviour.delay_ms)
        else:
            self._reply(message, phone)

    def _reply(self, message: Message, phone: Phone) -> None:
        reply = self._world.phones.next_reply(phone)
        if reply is None:
            return
        try:
            self._customer.answer(phone, message, reply)
        except ValueError as error:
            log.warning(f"a scripted reply cannot be given: {error}", extra={"action": "reply.refused"})

    def _later(self, wamid: str, step: str, delay_ms: int) -> None:
        self._last_step_id += 1
        due_at = self._world.now() + delay_ms / 1000
        self._world.storage.add("INSERT INTO steps VALUES (?, ?, ?, ?)", (self._last_step_id, due_at, wamid, step))
        self._set_timer(self._last_step_id, delay_ms / 1000, wamid, step)

    def _set_timer(self, step_id: int, in_s: float, wamid: str, step: str) -> None:
        loop = asyncio.get_running_loop()
        self._timers[step_id] = loop.call_later(in_s, self._due, step_id, wamid, step)

    def _due(self, step_id: int, wamid: str, step: str) -> None:
        self._timers.pop(step_id, None)
        self._world.storage.add("DELETE FROM steps WHERE id = ?", (step_id,))
        self._step(wamid, step)


def ladder(kind: str, behaviour: Behaviour, *, is_voice: bool) -> list[str]:
    """The statuses after `sent` that a message climbs on a phone that takes it. A reaction arrives without a word."""
    if kind == "reaction" or not behaviour.reads:
        return ["delivered"]
    return ["delivered", "read", "played"] if is_voice and behaviour.plays else ["delivered", "read"]


def _is_voice(message: Message) -> bool:
    audio = message.body.get("audio")
    return message.type == "audio" and isinstance(audio, dict) and bool(audio.get("voice"))
