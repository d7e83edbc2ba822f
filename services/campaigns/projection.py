"""From a numbered event to the guarded writes on campaigns.

Process: whatsapp.
"""

from typing import Any, Final

from services.campaigns.documents import CAMPAIGNS
from services.campaigns.records import OVER, CampaignStatus
from services.store import Event, VersionedWrite

_STATUS_OF: Final = {
    "campaign.created": CampaignStatus.DRAFT,
    "campaign.scheduled": CampaignStatus.SCHEDULED,
    "campaign.started": CampaignStatus.RUNNING,
    "campaign.paused": CampaignStatus.PAUSED,
    "campaign.resumed": CampaignStatus.RUNNING,
    "campaign.completed": CampaignStatus.COMPLETED,
    "campaign.canceled": CampaignStatus.CANCELED,
}
_PLAIN: Final = ("name", "category", "template", "audience", "rate_per_minute", "send_at", "results")


def project_campaign(event: Event) -> list[VersionedWrite]:
    """The writes on ``campaigns`` that this event asks for; none for events of other nouns."""
    if not event.type.startswith("campaign.") or event.type == "campaign.progress":
        return []  # how far it is stands beside the log: see the feeder
    data = event.data
    values: dict[str, Any] = {name: data[name] for name in _PLAIN if name in data}
    values["updated_at"] = event.at
    is_new = event.type == "campaign.created"
    status = _STATUS_OF.get(event.type)
    if status is not None:
        values["status"] = status.value
        values["reason"] = data.get("reason")
    if is_new:
        values |= {
            "number": event.number,
            "order": data["order"],
            "created_at": event.at,
            "key": data["by"],
            "digest": data["digest"],
        }
    if event.type == "campaign.started":
        values["started_at"] = event.at
    if status in OVER:
        values |= {"finished_at": event.at, "is_withdrawing": status is CampaignStatus.CANCELED}
    return [VersionedWrite(CAMPAIGNS, data["campaign_id"], event.seq, set=values, upsert=is_new)]
