"""Campaigns and their recipients as documents: the one place where a record becomes BSON and back.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from typing import Any, Final

from services.campaigns.records import Audience, Campaign, CampaignCategory, CampaignStatus, Progress, Recipient

CAMPAIGNS: Final = "campaigns"
RECIPIENTS: Final = "campaign_recipients"


def campaign_record(document: Mapping[str, Any]) -> Campaign:
    """The record of a stored campaign."""
    audience = document.get("audience") or {}
    return Campaign(
        id=document["_id"],
        phone_number_id=document["number"],
        name=document["name"],
        status=CampaignStatus(document["status"]),
        category=CampaignCategory(document["category"]),
        template=document["template"],
        audience=Audience(label=audience.get("label"), numbers=tuple(audience.get("numbers", ()))),
        rate_per_minute=document.get("rate_per_minute"),
        send_at=document.get("send_at"),
        order=int(document["order"]),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        started_at=document.get("started_at"),
        finished_at=document.get("finished_at"),
        reason=document.get("reason"),
        results=document.get("results") or {},
        key_id=document.get("key"),
        digest=document.get("digest"),
        progress=Progress(
            total=document.get("total"),
            cursor=int(document.get("cursor", 0)),
            seen=int(document.get("seen", 0)),
            skipped=int(document.get("skipped", 0)),
            passes=int(document.get("passes", 0)),
            is_prepared=bool(document.get("is_prepared", False)),
            prepared_to=int(document.get("prepared_to", 0)),
        ),
    )


def progress_values(progress: Progress) -> dict[str, Any]:
    """What is written down of how far the owner is."""
    return {
        "total": progress.total,
        "cursor": progress.cursor,
        "seen": progress.seen,
        "skipped": progress.skipped,
        "passes": progress.passes,
        "is_prepared": progress.is_prepared,
        "prepared_to": progress.prepared_to,
    }


def recipient_id(campaign_id: str, key: str) -> str:
    """One document a campaign and person: the unique index is the one that every collection has."""
    return f"{campaign_id}:{key}"


def recipient_document(recipient: Recipient) -> dict[str, Any]:
    """The stored form."""
    document: dict[str, Any] = {
        "_id": recipient.id,
        "campaign": recipient.campaign_id,
        "key": recipient.key,
        "order": recipient.order,
        "message": recipient.message_id,
    }
    if recipient.variables:
        document["variables"] = dict(recipient.variables)
    return document


def recipient_record(document: Mapping[str, Any]) -> Recipient:
    """The record of a stored recipient."""
    return Recipient(
        id=document["_id"],
        campaign_id=document["campaign"],
        key=document["key"],
        order=int(document["order"]),
        variables=document.get("variables") or {},
        message_id=document["message"],
        skipped=document.get("skipped"),
    )
