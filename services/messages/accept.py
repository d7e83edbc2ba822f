"""Acceptance: an order becomes a stored message, and only then an answer.

Process: worker.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from config.clock import Clock
from config.errors import Fault, RequestRefused
from config.ids import new_id, new_order
from config.metering import SILENT, Meter
from services.keys import Caller
from services.messages.acceptance_policy import AcceptancePolicy
from services.messages.content import Content
from services.messages.content_faults import ContentFault, ContentRefused
from services.messages.documents import message_document
from services.messages.order import SendOrder
from services.messages.policy import fallback_payload, may_be_replaced
from services.messages.records import Direction, Message
from services.messages.repository import MessageRepository
from services.messages.states import MessageStatus
from services.numbers import Number, Numbers
from services.store import GroupCommit


class IdempotencyConflict(RequestRefused):
    """The same Idempotency-Key came with another body: which of the two is meant?"""

    code = "idempotency_conflict"
    default_text = "This Idempotency-Key was used with another request body. Use a new key for a new message."


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that is stored. ``is_replay``: an earlier request with the same Idempotency-Key made it."""

    message: Message
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The caller's key and the SHA-256 of the body it came with."""

    key: str
    digest: bytes


class OrderCheck(Protocol):
    """Another noun's word about what a message names: a file, a template."""

    async def check(self, content: Content, number: Number, caller: Caller) -> None:
        """Raise ``ContentRefused`` when the message cannot be sent like this."""
        ...


class Acceptance:
    """Takes orders. The group commit answers when MongoDB acknowledged; nothing is kept here."""

    def __init__(
        self,
        *,
        inserts: GroupCommit,
        repository: MessageRepository,
        numbers: Numbers,
        policy: AcceptancePolicy,
        clock: Clock,
        meter: Meter = SILENT,
        checks: Sequence[OrderCheck] = (),
    ) -> None:
        """No input or output."""
        self._inserts = inserts
        self._meter = meter
        self._repository = repository
        self._numbers = numbers
        self._policy = policy
        self._checks = checks
        self._clock = clock

    async def accept(
        self, order: SendOrder, caller: Caller, idempotency: Idempotency | None = None, *, is_dropin: bool = False
    ) -> Accepted:
        """Store one message.

        Raises ``RequestRefused`` (unknown or forbidden number, closed window, opt-out), ``IdempotencyConflict``,
        ``Unavailable``. ``is_dropin``: a closed window is told later, in a status, as Meta does.
        """
        number = await self._number(order, caller)
        try:
            await self._check(order, number, caller, is_dropin=is_dropin)
        except RequestRefused:
            # What was accepted once is answered the same for ever, whatever the policy says today.
            earlier = await self._earlier(caller, idempotency)
            if earlier is None:
                raise
            return earlier
        message = self._message(order, number, caller, idempotency)
        duplicate = await self._inserts.insert(message_document(message))
        if duplicate is None:
            return self._stored(message)
        key = message.idempotency or ""
        return self._replay(message, (await self._repository.by_idempotency([key])).get(key))

    async def accept_all(
        self, orders: Sequence[SendOrder | RequestRefused], caller: Caller, idempotency: Idempotency | None = None
    ) -> list[Accepted | RequestRefused]:
        """Store several messages in their order; one answer each, in their order: a message, or why not.

        An order that was refused already keeps its place. Each gets an idempotency key of its own, made of the
        request's key and its position.
        """
        answers = await asyncio.gather(
            *(self._checked(position, order, caller, idempotency) for position, order in enumerate(orders))
        )
        messages = [answer for answer in answers if isinstance(answer, Message)]
        outcomes = await self._inserts.insert_all([message_document(message) for message in messages])
        refused = [message for message, outcome in zip(messages, outcomes, strict=True) if outcome is not None]
        earlier = await self._repository.by_idempotency([message.idempotency or "" for message in refused])
        again = {message.id for message in refused}
        final: list[Accepted | RequestRefused] = []
        for answer in answers:
            if not isinstance(answer, Message):
                final.append(answer)
            elif answer.id not in again:
                final.append(self._stored(answer))
            else:
                try:
                    final.append(self._replay(answer, earlier.get(answer.idempotency or "")))
                except RequestRefused as refusal:
                    final.append(refusal)
        return final

    async def _checked(
        self, position: int, order: SendOrder | RequestRefused, caller: Caller, idempotency: Idempotency | None
    ) -> Message | Accepted | RequestRefused:
        """One order of a batch: a message to store, an earlier answer, or a refusal."""
        if isinstance(order, RequestRefused):
            return order
        own = None if idempotency is None else Idempotency(f"{idempotency.key}\x1f{position}", idempotency.digest)
        try:
            number = await self._number(order, caller)
            await self._check(order, number, caller)
        except RequestRefused as refusal:
            return await self._earlier(caller, own) or refusal
        return self._message(order, number, caller, own)

    async def _check(self, order: SendOrder, number: Number, caller: Caller, *, is_dropin: bool = False) -> None:
        for check in self._checks:
            await check.check(order.content, number, caller)
        if may_be_replaced(order.on_window_closed, order.fallback_template):
            await self._check_fallback(order, number, caller)
        await self._policy.check(order, number, is_dropin=is_dropin)

    async def _check_fallback(self, order: SendOrder, number: Number, caller: Caller) -> None:
        """What goes when the window is closed must be as good as a template that is sent by itself."""
        content = order.content
        payload = fallback_payload(order.fallback_template or {}, content.kind, content.payload)
        instead = replace(content, kind="template", payload=payload)
        try:
            for check in self._checks:
                await check.check(instead, number, caller)
        except ContentRefused as refusal:
            raise ContentRefused(
                [ContentFault(f"fallback_{fault.path}", fault.reason, refusal.graph_code) for fault in refusal.faults]
            ) from refusal

    async def _number(self, order: SendOrder, caller: Caller) -> Number:
        number = await self._numbers.resolve(order.phone_number_id)
        if not caller.may_use(number.phone_number_id):
            raise RequestRefused(
                "This API key may not send from this number.",
                code="number_forbidden",
                faults=[Fault("from", "is not among the numbers of this API key")],
            )
        return number

    async def _earlier(self, caller: Caller, idempotency: Idempotency | None) -> Accepted | None:
        """What this key was answered before, if it was. Raises ``IdempotencyConflict`` for another body."""
        if idempotency is None:
            return None
        key = _stored_key(caller, idempotency)
        earlier = (await self._repository.by_idempotency([key])).get(key)
        if earlier is None:
            return None
        if earlier.body_digest != idempotency.digest:
            raise IdempotencyConflict()
        self._meter.suppressed("idempotency_key")
        return Accepted(earlier, is_replay=True)

    def _stored(self, message: Message) -> Accepted:
        self._meter.accepted(message.phone_number_id)
        return Accepted(message)

    def _message(self, order: SendOrder, number: Number, caller: Caller, idempotency: Idempotency | None) -> Message:
        now = self._clock.now()
        is_later = order.send_at is not None and order.send_at > now
        content = order.content
        return Message(
            id=new_id("msg"),
            order=new_order(),
            direction=Direction.OUT,
            phone_number_id=number.phone_number_id,
            kind=content.kind,
            payload=content.payload,
            status=MessageStatus.SCHEDULED if is_later else MessageStatus.QUEUED,
            created_at=now,
            to=content.to,
            recipient_kind=content.recipient_kind,
            context_wamid=content.context_wamid,
            callback_data=content.callback_data,
            send_at=order.send_at,
            expires_at=order.expires_at,
            on_window_closed=order.on_window_closed,
            fallback_template=order.fallback_template,
            on_uncertain=order.on_uncertain,
            priority=order.priority,
            due_at=order.send_at if is_later else None,
            metadata=order.metadata,
            idempotency=None if idempotency is None else _stored_key(caller, idempotency),
            body_digest=None if idempotency is None else idempotency.digest,
            key_id=caller.key_id,
        )

    def _replay(self, message: Message, earlier: Message | None) -> Accepted:
        """The unique index holds this key: answer what was answered then, or refuse another body."""
        if earlier is None:
            raise RequestRefused(
                "A message with this Idempotency-Key is being stored. Try again in a moment.",
                code="idempotency_in_progress",
                may_retry=True,
                retry_after_s=1,
            )
        if earlier.body_digest != message.body_digest:
            raise IdempotencyConflict()
        if earlier.id == message.id:
            return self._stored(earlier)
        self._meter.suppressed("idempotency_key")
        return Accepted(earlier, is_replay=True)


def _stored_key(caller: Caller, idempotency: Idempotency) -> str:
    """The caller's key, hashed together with who calls: keys of two callers never meet, and its length is fixed."""
    return hashlib.sha256(f"{caller.key_id}\x1f{idempotency.key}".encode()).hexdigest()
