"""Reads of campaigns and their recipients.

Process: worker, whatsapp.
"""

from collections.abc import Sequence
from typing import Any, Final

from config.ids import order_ahead
from services.campaigns.documents import CAMPAIGNS, RECIPIENTS, campaign_record, recipient_record
from services.campaigns.records import LIVE, Campaign, CampaignStatus, Recipient
from services.messages import MESSAGES, MessageStatus
from services.store import AscendingReader, Database, newest

FIRST_SLICE: Final = 86_400_000 << 20  # a day, in units of ``order``
MAX_LIVE: Final = 1_000
MAX_OUTSTANDING: Final = 20_000


class CampaignRepository:
    """Campaigns of one database.

    Every read raises ``Unavailable`` while the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, campaign_id: str) -> Campaign | None:
        """One campaign by its id; None when there is none."""
        found = await self._database.find_one(CAMPAIGNS, {"_id": campaign_id})
        return campaign_record(found) if found else None

    async def unfinished(self) -> list[Campaign]:
        """Campaigns that are scheduled, running or paused, or canceled with messages still to be withdrawn."""
        found = await self._database.find(
            CAMPAIGNS, {"status": {"$in": [status.value for status in LIVE]}}, limit=MAX_LIVE
        )
        found += await self._database.find(
            CAMPAIGNS, {"status": CampaignStatus.CANCELED.value, "is_withdrawing": True}, limit=MAX_LIVE
        )
        return [campaign_record(document) for document in found]

    async def page(self, *, numbers: frozenset[str], before: int | None, limit: int) -> list[Campaign]:
        """Up to ``limit`` campaigns, the newest first. ``numbers`` empty: of every number."""
        query: dict[str, Any] = {"number": {"$in": sorted(numbers)}} if numbers else {}
        below = before if before is not None else order_ahead()
        own: list[Campaign] = []
        while len(own) < limit:
            found = await newest(
                self._database,
                CAMPAIGNS,
                query,
                field="order",
                below=below,
                first_slice=FIRST_SLICE,
                limit=limit,
            )
            campaigns = [campaign_record(document) for document in found]
            own += [campaign for campaign in campaigns if campaign.is_within(numbers)]
            if len(found) < limit:
                break
            below = campaigns[-1].order
        return own[:limit]

    def walk(self, campaign_id: str, *, after: int = 0, page: int = 500) -> AscendingReader:
        """Its recipients in order, as documents for ``recipient_record``."""
        return AscendingReader(self._database, RECIPIENTS, {"campaign": campaign_id}, after=after, page=page)

    async def recipients(self, campaign_id: str, *, after: int, limit: int) -> list[Recipient]:
        """Up to ``limit`` recipients behind ``after``, in order."""
        walk = self.walk(campaign_id, after=after, page=limit)
        found: list[dict[str, Any]] = []
        while len(found) < limit and (page := await walk.next(limit - len(found))):
            found += page
        return [recipient_record(document) for document in found]

    async def count(self, campaign_id: str) -> int:
        """How many recipients stand on its list."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"campaign": campaign_id}},
            {"$group": {"_id": None, "count": {"$sum": 1}}},
        ]
        found = await self._database.aggregate(RECIPIENTS, pipeline, limit=1)
        return int(found[0]["count"]) if found else 0

    async def results(self, campaign_id: str) -> dict[str, int]:
        """How many of its messages are in each state."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"campaign": campaign_id}},
            {"$group": {"_id": "$status", "count": {"$sum": 1}}},
        ]
        found = await self._database.aggregate(MESSAGES, pipeline, limit=len(MessageStatus))
        return {str(group["_id"]): int(group["count"]) for group in found}

    async def outstanding(self, campaign_id: str, statuses: Sequence[MessageStatus]) -> dict[str, MessageStatus]:
        """Its messages in these states by id, ``MAX_OUTSTANDING`` at most."""
        found = await self._database.find(
            MESSAGES,
            {"campaign": campaign_id, "status": {"$in": [status.value for status in statuses]}},
            projection={"status": 1},
            limit=MAX_OUTSTANDING,
        )
        return {str(document["_id"]): MessageStatus(document["status"]) for document in found}

    async def messages_of(self, recipient_ids: Sequence[str]) -> dict[str, str]:
        """The message ids of these recipients, those that are on a list."""
        if not recipient_ids:
            return {}
        found = await self._database.find(
            RECIPIENTS, {"_id": {"$in": list(recipient_ids)}}, projection={"message": 1}, limit=len(recipient_ids)
        )
        return {str(document["_id"]): str(document["message"]) for document in found}

    async def statuses(self, message_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """State and error of these messages, those that exist."""
        if not message_ids:
            return {}
        found = await self._database.find(
            MESSAGES,
            {"_id": {"$in": list(message_ids)}},
            projection={"status": 1, "error": 1, "wamid": 1, "held_reason": 1, "updated_at": 1, "created_at": 1},
            limit=len(message_ids),
        )
        return {str(document["_id"]): document for document in found}
