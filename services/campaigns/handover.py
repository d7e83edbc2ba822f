"""A page of recipients becomes messages: who is skipped and why, and what the others get. Pure.

Process: whatsapp; worker (previews).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from config.errors import RequestRefused
from config.ids import new_order
from services.campaigns.duplicates import Duplicates
from services.campaigns.records import Campaign, Recipient
from services.campaigns.template import MissingVariables, fill
from services.contacts import OPTED_OUT, identity_of_key
from services.messages import Content, Direction, Message, MessageStatus, Priority, parse_content

MAX_REASON_CHARS: Final = 200


@dataclass(slots=True)
class Handover:
    """Messages to store, and recipients that get none, with the reason (a code, a colon, words)."""

    messages: list[Message] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    recipients: dict[str, Recipient] = field(default_factory=dict)


def hand_over(
    campaign: Campaign,
    page: Sequence[Recipient],
    blocks: Callable[[str], str | None],
    *,
    now: datetime,
    twins: Duplicates | None = None,
) -> Handover:
    """``blocks(key)`` says why somebody must not be written to, or None. ``skipped`` is by recipient id.

    ``twins`` is told of everybody who gets a message.
    """
    twins = twins or Duplicates()
    result = Handover()
    for recipient in page:
        result.recipients[recipient.id] = recipient
        reason = blocks(recipient.key)
        if reason is not None:
            result.skipped[recipient.id] = f"{OPTED_OUT}: {reason}"
            continue
        twin = twins.reason(recipient)
        if twin is not None:
            result.skipped[recipient.id] = twin
            continue
        content = content_for(campaign.template, recipient.key, recipient.variables)
        if isinstance(content, str):
            result.skipped[recipient.id] = content
        else:
            twins.handed.add(recipient.id)
            result.messages.append(_message(campaign, recipient, content, now))
    return result


def content_for(template: Mapping[str, Any], key: str, variables: Mapping[str, str]) -> Content | str:
    """What one person gets, or the reason why nothing."""
    identity = identity_of_key(key)
    try:
        filled = fill(template, variables)
        return parse_content({"to": identity.wa_id or identity.user_id, "type": "template", "template": filled})
    except MissingVariables as missing:
        return f"missing_variable: {', '.join(missing.names)}"[:MAX_REASON_CHARS]
    except RequestRefused as refusal:
        faults = "; ".join(f"{fault.path} {fault.reason}" for fault in refusal.faults)
        return f"invalid: {faults or refusal.text}"[:MAX_REASON_CHARS]


def _message(campaign: Campaign, recipient: Recipient, content: Content, now: datetime) -> Message:
    return Message(
        id=recipient.message_id,
        order=new_order(),
        direction=Direction.OUT,
        phone_number_id=campaign.phone_number_id,
        kind=content.kind,
        payload=content.payload,
        status=MessageStatus.QUEUED,
        created_at=now,
        to=content.to,
        recipient_kind=content.recipient_kind,
        priority=Priority.BULK,
        metadata={"campaign_id": campaign.id},
        campaign_id=campaign.id,
        idempotency=hashlib.sha256(f"campaign\x1f{recipient.id}".encode()).hexdigest(),
        key_id=campaign.key_id,
    )
