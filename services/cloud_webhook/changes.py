"""What Meta tells us, as records: one a thing that happened. Words we do not know are kept, never refused.

Process: worker, whatsapp.
"""

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from enum import StrEnum
from typing import Any

MESSAGES_FIELD = "messages"


class StatusKind(StrEnum):
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    PLAYED = "played"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PlatformError:
    """One entry of an `errors` array. `details` is Meta's longest sentence; `raw` the whole object."""

    code: int | None
    title: str
    details: str | None
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What all changes share. `content_key` is the same for every delivery of the same fact, and for no other fact."""

    content_key: str
    field: str
    waba_id: str | None


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a customer can be reached: a phone number, a business-scoped user id, or both."""

    wa_id: str | None
    user_id: str | None


@dataclass(frozen=True, slots=True)
class InboundMessage(Change):
    """A customer wrote. At least one of `from_wa_id` and `from_user_id` is known, unless Meta left both out.

    `kind` is Meta's `type` ("unknown" when it is missing); `content` the whole message object as it came.
    `context_wamid` is the message that this one answers. `target_wamid` is the one that a reaction, an edit or a
    deletion is about. `at` is None when the timestamp cannot be read.
    """

    phone_number_id: str | None
    display_phone_number: str | None
    wamid: str | None
    from_wa_id: str | None
    from_user_id: str | None
    from_parent_user_id: str | None
    profile_name: str | None
    username: str | None
    at: datetime | None
    kind: str
    content: dict[str, Any]
    context_wamid: str | None
    context: dict[str, Any] | None
    target_wamid: str | None
    group_id: str | None
    referral: dict[str, Any] | None
    errors: tuple[PlatformError, ...]
    moved_to: Sender | None = None
    """A system message: the addresses to which its sender has moved; None in one of them: as before."""

    @property
    def now(self) -> Sender:
        """Where the sender is from now on."""
        moved = self.moved_to or Sender(None, None)
        return Sender(moved.wa_id or self.from_wa_id, moved.user_id or self.from_user_id)


@dataclass(frozen=True, slots=True)
class StatusUpdate(Change):
    """What became of a message of ours. `raw_status` keeps Meta's word when `status` is UNKNOWN.

    `message_id` is our own id, echoed; None when another program sent the message. `caller_data` is what the sender
    of the message had put into `biz_opaque_callback_data`.
    """

    phone_number_id: str | None
    display_phone_number: str | None
    wamid: str | None
    status: StatusKind
    raw_status: str
    at: datetime | None
    recipient_id: str | None
    recipient_user_id: str | None
    recipient_type: str | None
    recipient_participant_id: str | None
    message_id: str | None
    caller_data: str | None
    pricing: dict[str, Any] | None
    conversation: dict[str, Any] | None
    errors: tuple[PlatformError, ...]
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TemplateUpdate(Change):
    """A template changed: `field` says what (status, quality, category, components); `event` is Meta's word."""

    template_id: str | None
    name: str | None
    language: str | None
    event: str | None
    category: str | None
    reason: str | None
    at: datetime | None
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NumberUpdate(Change):
    """A phone number's quality, limit, display name or security changed. As a rule only its display number is told."""

    phone_number_id: str | None
    display_phone_number: str | None
    event: str | None
    current_limit: str | None
    at: datetime | None
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AccountUpdate(Change):
    """Something about the WhatsApp Business Account: restriction, violation, review, alert, capability."""

    event: str | None
    at: datetime | None
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UserPreference(Change):
    """A customer stopped or resumed marketing messages. `choice` is Meta's word: `stop` or `resume`.

    `value` is Meta's own, with this preference alone.
    """

    phone_number_id: str | None
    display_phone_number: str | None
    wa_id: str | None
    user_id: str | None
    category: str | None
    choice: str | None
    detail: str | None
    at: datetime | None
    value: dict[str, Any] = dataclass_field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlatformErrors(Change):
    """Trouble of the system, the app or the account, with no message of its own."""

    phone_number_id: str | None
    display_phone_number: str | None
    errors: tuple[PlatformError, ...]


@dataclass(frozen=True, slots=True)
class UnknownChange(Change):
    """What no other record fits, whole. `is_value`: as Meta put it under `value` of a change of this field."""

    value: Any
    is_value: bool = False


AnyChange = (
    InboundMessage
    | StatusUpdate
    | TemplateUpdate
    | NumberUpdate
    | AccountUpdate
    | UserPreference
    | PlatformErrors
    | UnknownChange
)


@dataclass(frozen=True, slots=True)
class Notification:
    """One POST of Meta: its changes, in the order of the body. Meta itself promises no order between them."""

    changes: tuple[AnyChange, ...]
