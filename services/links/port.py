"""What every transport of a phone number must be able to do, and how it says what became of a message.

Process: whatsapp.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from config.errors import PanalError, PlatformRefused, Unavailable
from services.graph import CodeRule

RecipientKind = Literal["wa_id", "user_id", "group"]


PRODUCT_POLICY = "product_policy"
"""A payload with this field is for Meta's Marketing Messages API: the same object at another edge."""


class LinkKind(StrEnum):
    SANDBOX = "sandbox"
    CLOUD = "cloud"
    WEB = "web"


class LinkState(StrEnum):
    """As of the last call: nothing is asked of the platform to find out."""

    STARTING = "starting"
    READY = "ready"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    """The platform no longer accepts our credentials, or the number: a human must act."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message, ready to leave. `payload` holds the Graph fields of its kind: `{"type": "text", "text": {…}}`."""

    id: str
    phone_number_id: str
    to: str
    recipient_kind: RecipientKind
    payload: dict[str, Any]
    context_wamid: str | None = None
    callback_data: str | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """WhatsApp has it. `wa_id` and `user_id` are the platform's names for the recipient, where it gave them."""

    wamid: str
    wa_id: str | None = None
    user_id: str | None = None
    message_status: str | None = None


class SendRefused(PlatformRefused):
    """The platform said no, so the message did not leave. `rule` says whether, when and with whom it may go again."""

    def __init__(
        self,
        rule: CodeRule,
        *,
        title: str,
        details: str | None = None,
        retry_after_s: float | None = None,
        fbtrace_id: str | None = None,
    ) -> None:
        self.rule = rule
        self.title = title
        self.details = details
        self.fbtrace_id = fbtrace_id
        super().__init__(
            f"WhatsApp refused the message: {title}",
            may_retry=rule.may_retry,
            detail=details,
            retry_after_s=retry_after_s,
            extra={"graph_code": rule.code, "fbtrace_id": fbtrace_id},
        )


class NotSubmitted(Unavailable):
    """The message provably did not leave: sending it again is safe."""

    code = "link_unavailable"
    default_text = "WhatsApp could not be reached; the message waits."


class OutcomeUnknown(PanalError):
    """The message may have left. Only evidence (a status that carries our id) may decide; never resend blindly."""

    code = "outcome_unknown"
    default_text = "WhatsApp did not confirm the message; it may have been sent."


class Link(Protocol):
    """The transport of one or more phone numbers. Records go in, records come out; failures are the three above."""

    @property
    def kind(self) -> LinkKind: ...

    @property
    def state(self) -> LinkState: ...

    async def send(self, order: OutgoingMessage) -> Submitted:
        """Hand the message to WhatsApp. SendRefused, NotSubmitted or OutcomeUnknown when that did not work."""
        ...

    async def mark_read(self, phone_number_id: str, wamid: str, *, shows_typing: bool = False) -> None:
        """Blue ticks for an inbound message and those before it. The same three failures; repeating it is harmless."""
        ...
