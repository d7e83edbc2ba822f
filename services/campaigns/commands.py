"""What callers may do to campaigns, as the owner does it. Repeating one changes nothing more.

Process: whatsapp.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from config.clock import Clock
from config.errors import Fault, RequestRefused
from config.ids import new_order
from services.campaigns.records import MOVES, Audience, Campaign, CampaignCategory, CampaignStatus
from services.campaigns.repository import CampaignRepository
from services.campaigns.send_rate import SendRate
from services.campaigns.state import Active, CampaignState
from services.commands import Command, Outcome
from services.messages import WrongState
from services.store import Fact

_CHANGEABLE: Final = frozenset({CampaignStatus.DRAFT, CampaignStatus.SCHEDULED, CampaignStatus.PAUSED})
_REASON: Final = "requested"


class CampaignCommands:
    """Handlers of ``campaign.*`` commands."""

    def __init__(
        self,
        state: CampaignState,
        repository: CampaignRepository,
        clock: Clock,
        *,
        is_ours: Callable[[str], bool],
        nudge: Callable[[], None],
    ) -> None:
        """``nudge`` makes messages that wait look again: a pause, or its end, concerns them."""
        self._state = state
        self._repository = repository
        self._clock = clock
        self._is_ours = is_ours
        self._nudge = nudge

    async def create(self, command: Command) -> Outcome:
        """A new draft. The same request again is the same campaign; another one under its id is refused."""
        data = command.data
        campaign_id, number = str(data["campaign_id"]), str(data["number"])
        active = await self._state.find(campaign_id, self._clock.monotonic())
        if active is not None:
            if active.campaign.digest != data["digest"]:
                raise RequestRefused(
                    "This Idempotency-Key was used with another request body. Use a new key for a new campaign.",
                    code="idempotency_conflict",
                )
            return _outcome(active, is_new=False)
        if not self._is_ours(number):
            raise RequestRefused(
                "There is no such number here.", faults=[Fault("from", "is not a phone_number_id of this installation")]
            )
        now = self._clock.now()
        values = {**data["values"], "audience": dict(data["audience"])}
        campaign = _campaign(campaign_id, number, values, command, now)
        active = self._state.hold(campaign, self._clock.monotonic())
        fact_data = {**values, "order": campaign.order, "digest": campaign.digest, "by": command.by}
        return _outcome(active, self._fact(active, "campaign.created", fact_data), is_new=True)

    async def change(self, command: Command) -> Outcome:
        """Name, rate and time; the template of a draft. Raises ``WrongState`` when it runs or is over."""
        active = await self._find(command)
        values = dict(command.data["values"])
        if active.status not in _CHANGEABLE:
            raise WrongState(f"The campaign is {active.status.value}: pause it before it is changed.")
        if active.status is not CampaignStatus.DRAFT and values.keys() & {"template", "category"}:
            raise WrongState("Only a draft takes another template or category: what was sent cannot be changed.")
        if active.campaign.started_at is not None and "send_at" in values:
            raise WrongState("The campaign has begun: its time cannot be changed any more.")
        plain = {**values, "category": CampaignCategory(values["category"])} if "category" in values else values
        active.change(**plain)
        if "rate_per_minute" in values:
            active.pace = SendRate(values["rate_per_minute"], now_s=self._clock.monotonic())
        return _outcome(active, self._fact(active, "campaign.updated", values))

    async def start(self, command: Command) -> Outcome:
        """Begin now, or at ``send_at``. Raises ``WrongState``, or ``RequestRefused`` when nobody is on the list."""
        active = await self._find(command)
        if active.status in (CampaignStatus.SCHEDULED, CampaignStatus.RUNNING):
            return _outcome(active)
        if active.status is not CampaignStatus.DRAFT:
            raise WrongState(f"The campaign is {active.status.value}: only a draft can be started.")
        campaign = active.campaign
        if campaign.audience.label is None and not await self._repository.recipients(campaign.id, after=0, limit=1):
            raise RequestRefused(
                "The campaign has no recipients.",
                code="empty_audience",
                faults=[Fault("audience", "upload recipients, or name a label")],
            )
        return self._begin(active)

    async def pause(self, command: Command) -> Outcome:
        """Hand over nothing more; what waits to be sent is held."""
        return self._move(await self._find(command), CampaignStatus.PAUSED, "campaign.paused", by=command.by)

    async def resume(self, command: Command) -> Outcome:
        """Handler of ``campaign.resume``: continue where it was paused."""
        active = await self._find(command)
        if active.status in (CampaignStatus.RUNNING, CampaignStatus.SCHEDULED):
            return _outcome(active)
        if active.status is not CampaignStatus.PAUSED:
            raise WrongState(f"The campaign is {active.status.value}: there is nothing to resume.")
        active.outcomes.clear()
        if active.campaign.started_at is None:
            return self._begin(active)
        return self._move(active, CampaignStatus.RUNNING, "campaign.resumed", by=command.by)

    async def cancel(self, command: Command) -> Outcome:
        """Never send what has not left. Raises ``WrongState`` when it is completed."""
        active = await self._find(command)
        outcome = self._move(active, CampaignStatus.CANCELED, "campaign.canceled", by=command.by)
        active.is_withdrawing = active.is_withdrawing or bool(outcome.facts)
        return outcome

    def _begin(self, active: Active) -> Outcome:
        send_at = active.campaign.send_at
        if send_at is not None and send_at > self._clock.now():
            active.status = CampaignStatus.SCHEDULED
            return _outcome(active, self._fact(active, "campaign.scheduled", {"send_at": send_at}))
        return _outcome(active, started(active, self._clock))

    def _move(self, active: Active, status: CampaignStatus, event: str, *, by: str) -> Outcome:
        if active.status is status:
            return _outcome(active)
        if status not in MOVES[active.status]:
            raise WrongState(f"The campaign is {active.status.value}: it cannot become {status.value}.")
        active.status = status
        self._nudge()
        return _outcome(active, self._fact(active, event, {"reason": _REASON, "by": by}))

    def _fact(self, active: Active, event: str, data: Mapping[str, Any]) -> Fact:
        return campaign_fact(active, event, data, self._clock.now())

    async def _find(self, command: Command) -> Active:
        active = await self._state.find(str(command.data["campaign_id"]), self._clock.monotonic())
        if active is None:
            raise RequestRefused("There is no such campaign.", code="not_found")
        return active


def started(active: Active, clock: Clock) -> Fact:
    """The campaign begins."""
    now = clock.now()
    active.status = CampaignStatus.RUNNING
    active.change(started_at=now)
    return campaign_fact(active, "campaign.started", {}, now)


def campaign_fact(active: Active, event: str, data: Mapping[str, Any], now: datetime) -> Fact:
    """A fact about a campaign, with what every subscriber wants to know of it."""
    campaign = active.campaign
    full = {"campaign_id": campaign.id, "name": campaign.name, "status": active.status.value, **data}
    return Fact(event, campaign.phone_number_id, now, full)


def _outcome(active: Active, fact: Fact | None = None, *, is_new: bool = False) -> Outcome:
    result = {"campaign_id": active.campaign.id, "status": active.status.value, "is_new": is_new}
    return Outcome(result, [] if fact is None else [fact])


def _campaign(campaign_id: str, number: str, values: Mapping[str, Any], command: Command, now: datetime) -> Campaign:
    audience = values["audience"]
    return Campaign(
        id=campaign_id,
        phone_number_id=number,
        name=values["name"],
        status=CampaignStatus.DRAFT,
        category=CampaignCategory(values["category"]),
        template=values["template"],
        audience=Audience(label=audience["label"], numbers=tuple(audience["numbers"])),
        rate_per_minute=values["rate_per_minute"],
        send_at=values["send_at"],
        order=new_order(),
        created_at=now,
        updated_at=now,
        key_id=command.by,
        digest=command.data["digest"],
    )
