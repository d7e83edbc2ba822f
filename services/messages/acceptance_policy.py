"""Policy at acceptance: what the send policy would refuse later is refused before it is stored.

Process: worker. The send policy looks again: this is a courtesy to the caller, not the protection.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from config import limits
from config.clock import Clock
from config.errors import Fault, RequestRefused
from services.conversations import ContactRef, ConversationCache, key_at
from services.messages.content.parse import Content
from services.messages.policy import is_window_open, may_be_replaced, needs_window
from services.messages.records import OnWindowClosed, Priority
from services.messages.requests import SendRequest
from services.numbers import Number

SECOND_LOOK_S: Final = 0.15
"""A caller may react to a customer's message sooner than its document shows it."""


class WindowClosed(RequestRefused):
    """Free-form messages may be sent only within 24 hours of the customer's last message."""

    code = "window_closed"


class OptedOut(RequestRefused):
    """The recipient does not want it."""

    code = "opted_out"


class ConsentCheck(Protocol):
    """Who must not be written to, for workers."""

    async def blocks(self, key: str, *, is_marketing: bool, number: str | None = None) -> str | None:
        """Why this contact must not get it, in words that follow "the recipient", or None."""
        ...

    def lets_pass(self, key: str, *, is_marketing: bool, number: str | None = None) -> bool:
        """Is it known just now that nothing blocks?"""
        ...


class AcceptancePolicy:
    """Looks at opt-outs and at the customer service window."""

    def __init__(
        self,
        *,
        standings: ConversationCache,
        consents: ConsentCheck,
        has_marketing_template: Callable[[Content, Number], Awaitable[bool]],
        clock: Clock,
    ) -> None:
        """``has_marketing_template`` says whether a content is a template that Meta counts as marketing."""
        self._standings = standings
        self._consents = consents
        self._has_marketing_template = has_marketing_template
        self._clock = clock

    async def check(self, request: SendRequest, number: Number, *, is_dropin: bool = False) -> None:
        """Raise ``OptedOut`` or ``WindowClosed``. A drop-in client learns of a closed window as from Meta: later."""
        content = request.content
        contact = _contact(number.phone_number_id, content)
        is_marketing = request.priority is Priority.BULK or (
            content.kind == "template" and await self._has_marketing_template(content, number)
        )
        reason = await self._consents.blocks(contact.key, is_marketing=is_marketing, number=number.phone_number_id)
        if reason is not None:
            raise _opted_out(reason)
        is_later = request.send_at is not None and request.send_at > self._clock.now()
        if not is_marketing and not is_later and needs_window(content.kind):
            await self._check_fallback(request, number, contact)
        if (
            is_dropin
            or is_later
            or request.on_window_closed is not OnWindowClosed.REJECT
            or not needs_window(content.kind)
        ):
            return
        if await self._is_open(contact):
            return
        await asyncio.sleep(SECOND_LOOK_S)
        if not await self._is_open(contact):
            raise WindowClosed(
                "The customer has not written in the last 24 hours: only a template may be sent. "
                "Send a template, or say on_window_closed: hold or template.",
                faults=[Fault("type", f"{content.kind} needs an open customer service window")],
                extra={"graph_code": 131047},
            )

    def lets_pass(self, content: Content, number: Number, *, now: datetime) -> bool:
        """Is it known just now that this message, none of marketing, may be sent at once? False: ``check`` decides."""
        key, own = key_at(content.to, content.recipient_kind), number.phone_number_id
        return self._consents.lets_pass(key, is_marketing=False, number=own) and self._standings.has_written(
            own, key, newer_than=now - limits.CUSTOMER_SERVICE_WINDOW
        )

    async def _check_fallback(self, request: SendRequest, number: Number, contact: ContactRef) -> None:
        """A template that would go in place of this message is judged as the message that it is."""
        fallback = request.fallback_template
        if not may_be_replaced(request.on_window_closed, fallback):
            return
        # Who opted out is rare: most messages end here without another question.
        reason = await self._consents.blocks(contact.key, is_marketing=True, number=number.phone_number_id)
        if reason is None or await self._is_open(contact):
            return
        instead = replace(request.content, kind="template", payload={"template": dict(fallback or {})})
        if await self._has_marketing_template(instead, number):
            raise _opted_out(reason)

    async def _is_open(self, contact: ContactRef) -> bool:
        now: datetime = self._clock.now()
        last = await self._standings.last_inbound_at(contact, newer_than=now - limits.CUSTOMER_SERVICE_WINDOW)
        return is_window_open(last, now)


def _opted_out(reason: str) -> OptedOut:
    return OptedOut(
        f"The recipient {reason}. Do not send again; writing START opts in.",
        faults=[Fault("to", "has opted out")],
        extra={"graph_code": 131050},
    )


def _contact(phone_number_id: str, content: Content) -> ContactRef:
    return ContactRef.at(phone_number_id, content.to, content.recipient_kind)
