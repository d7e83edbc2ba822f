"""What a campaign is: one template to many people. Frozen records, no documents.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final


class CampaignStatus(StrEnum):
    """Where a campaign is. ``completed``: every message that it asked for has left, or will never leave."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELED = "canceled"


class CampaignCategory(StrEnum):
    """What its messages are. Only marketing is stopped by an opt-out of marketing."""

    MARKETING = "marketing"
    UTILITY = "utility"
    AUTHENTICATION = "authentication"


_S = CampaignStatus

MOVES: Final = MappingProxyType(
    {
        _S.DRAFT: frozenset({_S.SCHEDULED, _S.RUNNING, _S.CANCELED}),
        _S.SCHEDULED: frozenset({_S.SCHEDULED, _S.RUNNING, _S.PAUSED, _S.CANCELED}),
        _S.RUNNING: frozenset({_S.PAUSED, _S.COMPLETED, _S.CANCELED}),
        _S.PAUSED: frozenset({_S.RUNNING, _S.SCHEDULED, _S.CANCELED}),
        _S.COMPLETED: frozenset[CampaignStatus](),
        _S.CANCELED: frozenset[CampaignStatus](),
    }
)

LIVE: Final = frozenset({_S.SCHEDULED, _S.RUNNING, _S.PAUSED})
"""States in which the owner still has something to do, or to hold back."""

OVER: Final = frozenset({_S.COMPLETED, _S.CANCELED})


@dataclass(frozen=True, slots=True)
class Audience:
    """Who gets it. ``label`` None: the list that was uploaded; ``numbers``: only contacts of these, when not empty."""

    label: str | None = None
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Campaign:
    """``template`` is the Cloud API template object with ``{{variable}}`` in its texts.

    ``rate_per_minute`` None: as fast as the number may send. ``order`` sorts by creation. ``progress`` is what the
    owner wrote down last; ``digest`` is the hash of the request that made it.
    """

    id: str
    phone_number_id: str
    name: str
    status: CampaignStatus
    category: CampaignCategory
    template: Mapping[str, Any]
    audience: Audience
    rate_per_minute: int | None
    send_at: datetime | None
    order: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str | None = None
    results: Mapping[str, int] = field(default_factory=dict)
    key_id: str | None = None
    digest: str | None = None
    progress: "Progress" = field(default_factory=lambda: Progress())

    def is_within(self, numbers: frozenset[str]) -> bool:
        """May a key that is limited to these numbers see it? Empty: a key without a limit.

        A campaign that takes its people from the contacts of other numbers shows these people.
        """
        if not numbers:
            return True
        is_own_audience = self.audience.label is None or (
            bool(self.audience.numbers) and numbers.issuperset(self.audience.numbers)
        )
        return self.phone_number_id in numbers and is_own_audience


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the owner is. ``cursor`` is the ``order`` of the last recipient whose message is stored.

    ``is_prepared``: the list is complete and counted. ``prepared_to`` is how far contacts were taken for it.
    """

    total: int | None = None
    cursor: int = 0
    seen: int = 0
    skipped: int = 0
    passes: int = 0
    is_prepared: bool = False
    prepared_to: int = 0


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person of a campaign. ``message_id`` is chosen beforehand, so that a message is stored once at most."""

    id: str
    campaign_id: str
    key: str
    order: int
    variables: Mapping[str, str]
    message_id: str
    skipped: str | None = None
