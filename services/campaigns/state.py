"""What the owner knows of campaigns: those that run, wait or are held back, and those it touched last.

Process: whatsapp.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from services.campaigns.records import LIVE, Campaign, CampaignCategory, CampaignStatus, Progress, Recipient
from services.campaigns.repository import CampaignRepository
from services.campaigns.send_rate import SendRate
from services.messages import Hold, Message, MessageStatus, Priority
from services.store import AscendingReader

MAX_IDLE: Final = 200
OUTCOMES_LOOKED_AT: Final = 50
UNREAD_WAIT: Final = timedelta(seconds=0.5)
WAITING: Final = (MessageStatus.SCHEDULED, MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.HELD)


@dataclass(slots=True)
class Counts:
    """What became of the messages so far, as far as this owner saw it."""

    sent: int = 0
    failed: int = 0
    canceled: int = 0


@dataclass(slots=True)
class Active:
    """The mutable view of one campaign. ``outstanding`` are its messages that wait, with their state as last seen."""

    campaign: Campaign
    status: CampaignStatus
    progress: Progress
    pace: SendRate
    outstanding: dict[str, MessageStatus] = field(default_factory=dict)
    tally: Counts = field(default_factory=Counts)
    outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=OUTCOMES_LOOKED_AT))
    walk: AscendingReader | None = None
    page: list[Recipient] = field(default_factory=list)
    is_fed: bool = False
    is_withdrawing: bool = False
    idle_since_s: float | None = None
    told_at_s: float = float("-inf")
    told: dict[str, Any] = field(default_factory=dict)

    def change(self, **values: Any) -> None:
        """Change fields of the campaign's record."""
        self.campaign = replace(self.campaign, **values)

    def advance(self, **values: Any) -> None:
        """Change fields of the progress."""
        self.progress = replace(self.progress, **values)

    @property
    def is_marketing(self) -> bool:
        """Does an opt-out of marketing stop it?"""
        return self.campaign.category is CampaignCategory.MARKETING

    @property
    def needs_work(self) -> bool:
        """Has the owner something to do for it?"""
        return self.status in LIVE or self.is_withdrawing


class CampaignState:
    """Campaigns by id. ``load`` brings those that need work; others come when somebody asks for them."""

    def __init__(self, repository: CampaignRepository) -> None:
        """Empty."""
        self._repository = repository
        self._held: OrderedDict[str, Active] = OrderedDict()
        self.is_loaded = False
        self.category_of: Callable[[str, str, str], str | None] = lambda _number, _name, _language: None
        """Meta's category of a template by number, name and language; the catalogue's owner sets it."""

    async def load(self, now_s: float) -> None:
        """Read what the last owner left. Raises ``Unavailable``: then call it again."""
        if self.is_loaded:
            return
        for campaign in await self._repository.unfinished():
            if campaign.id in self._held:
                continue
            active = self.hold(campaign, now_s)
            active.is_withdrawing = campaign.status is CampaignStatus.CANCELED
            if campaign.started_at is not None:
                active.outstanding = await self._repository.outstanding(campaign.id, WAITING)
                results = await self._repository.results(campaign.id)
                active.tally = Counts(
                    sent=sum(results.get(word, 0) for word in ("sent", "delivered", "read", "uncertain")),
                    failed=results.get("failed", 0) + results.get("expired", 0),
                    canceled=results.get("canceled", 0),
                )
        self.is_loaded = True

    async def find(self, campaign_id: str, now_s: float) -> Active | None:
        """One campaign, from memory or the database. Raises ``Unavailable``."""
        await self.load(now_s)
        active = self._held.get(campaign_id)
        if active is None:
            campaign = await self._repository.get(campaign_id)
            # Another task may have been here while this one was reading.
            active = self._held.get(campaign_id)
            if active is None and campaign is not None:
                active = self.hold(campaign, now_s)
        return active

    def hold(self, campaign: Campaign, now_s: float) -> Active:
        """Remember a campaign; those without work are forgotten, oldest first, when there are too many."""
        pace = SendRate(campaign.rate_per_minute, now_s=now_s)
        active = Active(campaign, campaign.status, campaign.progress, pace)
        self._held[campaign.id] = active
        idle = [known for known, one in self._held.items() if not one.needs_work and one is not active]
        for campaign_id in idle[: max(0, len(idle) - MAX_IDLE)]:
            del self._held[campaign_id]
        return active

    def at_work(self) -> list[Active]:
        """Campaigns for which the owner has something to do."""
        return [active for active in self._held.values() if active.needs_work]

    # --- what the send policy asks

    def hold_of(self, message: Message, now: datetime) -> Hold | None:
        """Why a message of a campaign must wait, or None."""
        if message.campaign_id is None:
            return None
        if not self.is_loaded:
            return Hold("campaign_unread", now + UNREAD_WAIT)
        active = self._held.get(message.campaign_id)
        if active is None or active.status not in (CampaignStatus.PAUSED, CampaignStatus.CANCELED):
            return None
        return Hold(f"campaign_{active.status.value}", None)

    def is_marketing(self, message: Message) -> bool:
        """Is this message marketing? Its template is, or its campaign says so; of others only bulk ones are."""
        if self._has_marketing_template(message):
            return True
        active = self._held.get(message.campaign_id) if message.campaign_id else None
        return active.is_marketing if active is not None else message.priority is Priority.BULK

    def _has_marketing_template(self, message: Message) -> bool:
        template = message.payload.get("template") if message.kind == "template" else None
        if not isinstance(template, Mapping):
            return False
        language = template.get("language")
        code = language.get("code") if isinstance(language, Mapping) else None
        return self.category_of(message.phone_number_id, str(template.get("name")), str(code)) == "MARKETING"
