"""The send policy: the last check of a message before it leaves. Memory only, so it can run before every send.

Process: whatsapp.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from services.conversations import ContactRef, Standing
from services.messages import (
    Hold,
    Message,
    OnWindowClosed,
    Priority,
    fallback_payload,
    is_window_open,
    may_be_replaced,
    needs_window,
)
from services.sending.rate_limiter import RateLimiter


@dataclass(frozen=True, slots=True)
class Go:
    """It may leave. ``payload``: a template to send instead; ``is_initiation``: the window is closed."""

    payload: dict[str, Any] | None = None
    is_initiation: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """It stays the head of its lane, and its lane waits."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class Park:
    """It leaves its lane until the hold ends: later messages need not wait for it."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class Refuse:
    """It must never leave."""

    code: str
    title: str
    next_step: str
    graph_code: int | None = None


Verdict = Go | Wait | Park | Refuse


class Consents(Protocol):
    """Opt-outs, as the policy sees them."""

    async def load(self, keys: Iterable[str]) -> None:
        """Load the opt-outs of these contacts. Raises ``Unavailable``."""
        ...

    def blocks(self, key: str, *, is_marketing: bool, number: str | None = None) -> str | None:
        """Return why this contact must not get the message; None if it may."""
        ...


class SendPolicy:
    """Checks opt-out, holds, window, quiet hours, daily limit and pair rate, in this order."""

    def __init__(
        self,
        rate_limiter: RateLimiter,
        *,
        standing_of: Callable[[str, str], Standing | None],
        consents: Consents,
        is_marketing: Callable[[Message], bool],
        hold_of: Callable[[Message, datetime], Hold | None] = lambda _message, _now: None,
    ) -> None:
        """``standing_of(number, contact key)`` returns the state of a conversation.

        ``hold_of`` returns the hold of a single message, such as a paused campaign.
        """
        self.rate_limiter = rate_limiter
        self._hold_of = hold_of
        self._standing_of = standing_of
        self._consents = consents
        self._is_marketing = is_marketing

    def key_of(self, message: Message) -> str:
        """Return the recipient's key for lanes and limits, whichever address the message is for."""
        address = contact_of(message).key
        standing = self._standing_of(message.phone_number_id, address)
        return standing.key if standing is not None and standing.key else address

    def evaluate(self, message: Message, now: datetime) -> Verdict:
        """Return what may happen to this message now. ``now`` is aware UTC."""
        number, address = message.phone_number_id, contact_of(message).key
        if (refusal := self._opted_out(message, address)) is not None:
            return refusal
        hold = self._hold_of(message, now) or self.rate_limiter.number_hold(number, now)
        if hold is not None:
            return Wait(hold)
        standing, key = self._standing_of(number, address), self.key_of(message)
        is_open = is_window_open(standing.last_inbound_at if standing else None, now)
        payload = None
        if not is_open and needs_window(message.kind):
            if may_be_replaced(message.on_window_closed, message.fallback_template):
                payload = fallback_payload(message.fallback_template or {}, message.kind, message.payload)
                # The template is another message: it may be marketing where the first one was not.
                if (
                    refusal := self._opted_out(replace(message, kind="template", payload=payload), address)
                ) is not None:
                    return refusal
            elif message.on_window_closed is OnWindowClosed.HOLD:
                return Park(Hold("window_closed", None))
            else:
                return Refuse(
                    "window_closed",
                    "The customer service window is closed",
                    "Send an approved template, or wait until the customer writes.",
                    graph_code=131047,
                )
        if message.priority is Priority.BULK:
            quiet_until = self.rate_limiter.quiet_until(number, now)
            if quiet_until is not None:
                return Wait(Hold("quiet_hours", quiet_until))
        if not is_open and (hold := self.rate_limiter.daily_hold(number, key, now)) is not None:
            return Park(hold)
        hold = self.rate_limiter.pair_hold(number, key, now)
        if hold is not None:
            return Wait(hold)
        return Go(payload=payload, is_initiation=not is_open)

    def _opted_out(self, message: Message, key: str) -> Refuse | None:
        reason = self._consents.blocks(key, is_marketing=self._is_marketing(message), number=message.phone_number_id)
        if reason is None:
            return None
        return Refuse(
            "opted_out",
            f"The recipient {reason}",
            "Do not send again; the recipient can opt in by writing START.",
            graph_code=131050,
        )


def contact_of(message: Message) -> ContactRef:
    """Return the contact of an outbound message, as conversations and consents name it."""
    return ContactRef.at(message.phone_number_id, message.to, message.recipient_kind)
