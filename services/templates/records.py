"""What a message template is: frozen records in Meta's words.

Process: worker, whatsapp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class TemplateStatus(StrEnum):
    """Meta's review and quality states; ``deleted`` is ours, for one that Meta no longer lists."""

    APPROVED = "APPROVED"
    PENDING = "PENDING"
    REJECTED = "REJECTED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"


def template_status(word: str | None) -> TemplateStatus:
    """The state that Meta's word stands for. Source: Meta, "Template statuses"; words of its webhooks."""
    known = {
        "APPROVED": TemplateStatus.APPROVED,
        "REINSTATED": TemplateStatus.APPROVED,
        "FLAGGED": TemplateStatus.APPROVED,  # still sent; a warning that it may be paused
        "UNPAUSED": TemplateStatus.APPROVED,
        "PENDING": TemplateStatus.PENDING,
        "IN_APPEAL": TemplateStatus.PENDING,
        "REJECTED": TemplateStatus.REJECTED,
        "PAUSED": TemplateStatus.PAUSED,
        "DISABLED": TemplateStatus.DISABLED,
        "LIMIT_EXCEEDED": TemplateStatus.DISABLED,
        "DELETED": TemplateStatus.DELETED,
        "PENDING_DELETION": TemplateStatus.DELETED,
    }
    return known.get((word or "").upper(), TemplateStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Template:
    """A template in one language. ``raw_status`` is Meta's word; ``components`` None: nobody has read them yet."""

    id: str
    waba_id: str
    name: str
    language: str
    status: TemplateStatus
    raw_status: str
    category: str | None
    components: Sequence[Mapping[str, Any]] | None
    parameter_format: str | None = None
    quality: str | None = None
    rejected_reason: str | None = None
    synced_at: datetime | None = None
