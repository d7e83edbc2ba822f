"""Acceptance: a request becomes a stored message, and only then an answer.

Process: worker.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from config.clock import Clock
from config.errors import Fault, RequestRefused
from config.ids import new_id
from config.metering import SILENT, Meter
from services.keys import Caller
from services.messages.acceptance_policy import AcceptancePolicy
from services.messages.content.faults import ContentFault, ContentRefused
from services.messages.content.parse import Content
from services.messages.documents import order_document
from services.messages.policy import fallback_payload, may_be_replaced
from services.messages.records import Message
from services.messages.repository import MessageRepository
from services.messages.requests import SendRequest
from services.numbers import Number, NumberCache
from services.store import Document, GroupCommit, Promise


class IdempotencyConflict(RequestRefused):
    """The same Idempotency-Key came with another body: which of the two is meant?"""

    code = "idempotency_conflict"
    default_text = "This Idempotency-Key was used with another request body. Use a new key for a new message."


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that is stored: what its sender is told. ``send_at`` None: at once.

    ``is_replay``: an earlier request with the same Idempotency-Key made it.
    """

    id: str
    phone_number_id: str
    kind: str
    to: str | None
    recipient_kind: str
    created_at: datetime
    send_at: datetime | None
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The caller's key and the SHA-256 of the body it came with."""

    key: str
    digest: bytes


class UnderWay:
    """A message that is being stored. ``done`` is set when the database has answered; nobody may cancel it."""

    __slots__ = ("_document", "_tell", "done")

    def __init__(self, document: Document, done: Promise, tell: Callable[[Document], Accepted]) -> None:
        self._document = document
        self._tell = tell
        self.done = done

    def result(self) -> Accepted | None:
        """What its sender is told, once ``done`` is. Raises ``Unavailable``.

        None: something else of the same Idempotency-Key is stored; ``Acceptance.accept`` finds out what.
        """
        return None if self.done.result()[0] is not None else self._tell(self._document)


class AcceptanceCheck(Protocol):
    """Another noun's word about what a message names: a file, a template."""

    async def check(self, content: Content, number: Number, caller: Caller) -> None:
        """Raise ``ContentRefused`` when the message cannot be sent like this."""
        ...


class Acceptance:
    """Takes requests. The group commit answers when MongoDB acknowledged; nothing is kept here."""

    def __init__(
        self,
        *,
        inserts: GroupCommit,
        repository: MessageRepository,
        numbers: NumberCache,
        policy: AcceptancePolicy,
        clock: Clock,
        meter: Meter = SILENT,
        checks: Sequence[AcceptanceCheck] = (),
    ) -> None:
        self._inserts = inserts
        self._meter = meter
        self._repository = repository
        self._numbers = numbers
        self._policy = policy
        self._checks = checks
        self._clock = clock

    async def accept(
        self, request: SendRequest, caller: Caller, idempotency: Idempotency | None = None, *, is_dropin: bool = False
    ) -> Accepted:
        """Store one message.

        Raises ``RequestRefused`` (unknown or forbidden number, closed window, opt-out), ``IdempotencyConflict``,
        ``Unavailable``. ``is_dropin``: a closed window is told later, in a status, as Meta does.
        """
        number = await self._number(request, caller)
        try:
            await self._check(request, number, caller, is_dropin=is_dropin)
        except RequestRefused:
            # What was accepted once is answered the same for ever, whatever the policy says today.
            earlier = await self._earlier(caller, idempotency)
            if earlier is None:
                raise
            return earlier
        document = self._document(request, number, caller, idempotency)
        duplicate = await self._inserts.insert(document)
        if duplicate is None:
            return self._stored(document)
        key = document.get("idempotency", "")
        return self._replay(document, (await self._repository.by_idempotency([key])).get(key))

    def begin(
        self, request: SendRequest, caller: Caller, idempotency: Idempotency | None = None, *, now: datetime
    ) -> UnderWay | None:
        """The same as ``accept``, begun at once, when all that decides is remembered and speaks for it.

        None: nothing was begun, and says nothing of the request; ``accept`` decides. Raises ``Unavailable``.
        """
        if not request.is_plain or self._inserts.is_full:
            return None
        number = self._numbers.known(request.phone_number_id)
        if number is None or not caller.may_use(number.phone_number_id):
            return None
        if not self._policy.lets_pass(request.content, number, now=now):
            return None
        document = self._document(request, number, caller, idempotency, now=now)
        return UnderWay(document, self._inserts.begin([document]), self._stored)

    async def accept_all(
        self, requests: Sequence[SendRequest | RequestRefused], caller: Caller, idempotency: Idempotency | None = None
    ) -> list[Accepted | RequestRefused]:
        """Store several messages in their order; one answer each, in their order: a message, or why not.

        A request that was refused already keeps its place. Each gets an idempotency key of its own, made of the
        request's key and its position.
        """
        answers = await asyncio.gather(
            *(self._checked(position, request, caller, idempotency) for position, request in enumerate(requests))
        )
        documents = [answer for answer in answers if isinstance(answer, dict)]
        outcomes = await self._inserts.insert_all(documents)
        refused = [document for document, outcome in zip(documents, outcomes, strict=True) if outcome is not None]
        earlier = await self._repository.by_idempotency([document.get("idempotency", "") for document in refused])
        again = {document["_id"] for document in refused}
        final: list[Accepted | RequestRefused] = []
        for answer in answers:
            if not isinstance(answer, dict):
                final.append(answer)
            elif answer["_id"] not in again:
                final.append(self._stored(answer))
            else:
                try:
                    final.append(self._replay(answer, earlier.get(answer.get("idempotency", ""))))
                except RequestRefused as refusal:
                    final.append(refusal)
        return final

    async def _checked(
        self, position: int, request: SendRequest | RequestRefused, caller: Caller, idempotency: Idempotency | None
    ) -> Document | Accepted | RequestRefused:
        """One request of a batch: a message to store, an earlier answer, or a refusal."""
        if isinstance(request, RequestRefused):
            return request
        own = None if idempotency is None else Idempotency(f"{idempotency.key}\x1f{position}", idempotency.digest)
        try:
            number = await self._number(request, caller)
            await self._check(request, number, caller)
        except RequestRefused as refusal:
            return await self._earlier(caller, own) or refusal
        return self._document(request, number, caller, own)

    async def _check(self, request: SendRequest, number: Number, caller: Caller, *, is_dropin: bool = False) -> None:
        for check in self._checks:
            await check.check(request.content, number, caller)
        if may_be_replaced(request.on_window_closed, request.fallback_template):
            await self._check_fallback(request, number, caller)
        await self._policy.check(request, number, is_dropin=is_dropin)

    async def _check_fallback(self, request: SendRequest, number: Number, caller: Caller) -> None:
        """What goes when the window is closed must be as good as a template that is sent by itself."""
        content = request.content
        payload = fallback_payload(request.fallback_template or {}, content.kind, content.payload)
        instead = replace(content, kind="template", payload=payload)
        try:
            for check in self._checks:
                await check.check(instead, number, caller)
        except ContentRefused as refusal:
            raise ContentRefused(
                [ContentFault(f"fallback_{fault.path}", fault.reason, refusal.graph_code) for fault in refusal.faults]
            ) from refusal

    async def _number(self, request: SendRequest, caller: Caller) -> Number:
        asked = request.phone_number_id
        # A limited key is not told whether a number that is not its own exists.
        may_ask = asked is None or caller.may_use(asked)
        number = await self._numbers.resolve(asked) if may_ask else None
        if number is None or not caller.may_use(number.phone_number_id):
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
        return _earlier_answer(earlier)

    def _stored(self, document: Document) -> Accepted:
        number = document["number"]
        self._meter.accepted(number)
        return Accepted(
            document["_id"],
            number,
            document["kind"],
            document["to"],
            document.get("recipient_kind", "wa_id"),
            document["created_at"],
            document.get("send_at"),
        )

    def _document(
        self,
        request: SendRequest,
        number: Number,
        caller: Caller,
        idempotency: Idempotency | None,
        *,
        now: datetime | None = None,
    ) -> Document:
        return order_document(
            request,
            message_id=new_id("msg"),
            phone_number_id=number.phone_number_id,
            created_at=now or self._clock.now(),
            key_id=caller.key_id,
            idempotency=None if idempotency is None else _stored_key(caller, idempotency),
            digest=None if idempotency is None else idempotency.digest,
        )

    def _replay(self, document: Document, earlier: Message | None) -> Accepted:
        """The unique index holds this key: answer what was answered then, or refuse another body."""
        if earlier is None:
            raise RequestRefused(
                "A message with this Idempotency-Key is being stored. Try again in a moment.",
                code="idempotency_in_progress",
                may_retry=True,
                retry_after_s=1,
            )
        if earlier.body_digest != document.get("digest"):
            raise IdempotencyConflict()
        if earlier.id == document["_id"]:
            return self._stored(document)
        self._meter.suppressed("idempotency_key")
        return _earlier_answer(earlier)


def _stored_key(caller: Caller, idempotency: Idempotency) -> str:
    """The caller's key, hashed together with who calls: keys of two callers never meet, and its length is fixed."""
    return hashlib.sha256(f"{caller.key_id}\x1f{idempotency.key}".encode()).hexdigest()


def _earlier_answer(message: Message) -> Accepted:
    """The same answer as then, whatever became of the message since."""
    return Accepted(
        message.id,
        message.phone_number_id,
        message.kind,
        message.to,
        message.recipient_kind,
        message.created_at,
        message.send_at,
        is_replay=True,
    )
