"""Reads of messages. Lists go newest first and page by ``order``.

Process: worker, whatsapp.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from config.ids import order_ahead
from services.messages.documents import MESSAGES, message_record, priority_number
from services.messages.records import Direction, Message, Priority
from services.messages.states import MessageStatus
from services.store import BatchLoader, Database, Document, newest

# The embedded server reads a whole index range before it sorts, so a page is cut out of slices of time that double.
FIRST_SLICE: Final = 60_000 << 20  # one minute, in units of ``order`` (milliseconds << 20)
EPOCH: Final = datetime(2023, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What a list shows. Everything is optional; ``before`` is the ``order`` to go on from (newest first).

    ``numbers``: only of these, when no ``phone_number_id`` is asked for; empty: of every number.
    """

    phone_number_id: str | None = None
    numbers: frozenset[str] = frozenset()
    to: str | None = None
    status: MessageStatus | None = None
    direction: Direction | None = None
    conversation_id: str | None = None
    campaign_id: str | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class ReadUnderWay:
    """A message that is being read. Others may wait for ``done``, too: it is not to be cancelled."""

    done: "asyncio.Future[Document | None]"

    def result(self) -> Message | None:
        """The message, once ``done`` is. Raises ``Unavailable``."""
        found = self.done.result()
        return message_record(found) if found else None


class MessageRepository:
    """Messages of one database.

    Every read raises ``Unavailable`` while the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_id = BatchLoader(database, MESSAGES)

    async def get(self, message_id: str) -> Message | None:
        """One message by our id; those that are asked for at the same time are read together."""
        found = await self._by_id.get(message_id)
        return message_record(found) if found else None

    def begin_get(self, message_id: str) -> "ReadUnderWay":
        """The same, for a caller that waits without a task of its own. Raises ``Unavailable``: too many wait."""
        return ReadUnderWay(self._by_id.begin(message_id))

    async def by_ids(self, ids: Sequence[str]) -> dict[str, Message]:
        """Those of the ids that exist, in one round trip."""
        if not ids:
            return {}
        found = await self._database.find(MESSAGES, {"_id": {"$in": list(ids)}}, limit=len(ids))
        return {document["_id"]: message_record(document) for document in found}

    async def statuses(self, ids: Sequence[str]) -> dict[str, MessageStatus]:
        """How far those of the ids came that exist, in one round trip; nothing else of them is read."""
        if not ids:
            return {}
        found = await self._database.find(
            MESSAGES, {"_id": {"$in": list(ids)}}, projection={"status": 1}, limit=len(ids)
        )
        return {document["_id"]: MessageStatus(document["status"]) for document in found}

    async def inbound_keys(self, wamids: Sequence[str]) -> frozenset[tuple[str, str]]:
        """What was taken up from customers under these wamids: number and content key of each.

        An edit or a deletion comes under the wamid of what it is about; its key tells them apart.
        """
        if not wamids:
            return frozenset()
        found = await self._database.find(
            MESSAGES,
            {"wamid": {"$in": list(wamids)}},
            projection={"number": 1, "wamid": 1, "content_key": 1},
            limit=len(wamids) * 20,
        )
        return frozenset(
            (document["number"], document.get("content_key") or plain_key(document["wamid"])) for document in found
        )

    async def by_wamids(self, wamids: Sequence[str]) -> dict[str, Message]:
        """Those with these WhatsApp message ids, by wamid."""
        if not wamids:
            return {}
        found = await self._database.find(MESSAGES, {"wamid": {"$in": list(wamids)}}, limit=len(wamids) * 2)
        return {document["wamid"]: message_record(document) for document in found}

    async def by_idempotency(self, keys: Sequence[str]) -> dict[str, Message]:
        """The messages that were accepted under these idempotency keys."""
        if not keys:
            return {}
        found = await self._database.find(MESSAGES, {"idempotency": {"$in": list(keys)}}, limit=len(keys))
        return {document["idempotency"]: message_record(document) for document in found}

    async def queued(
        self, phone_number_id: str, priority: Priority, *, above: int, up_to: int, limit: int
    ) -> list[Message]:
        """Messages of a priority that wait to be sent with ``above < order <= up_to``, oldest first."""
        found = await self._database.find(
            MESSAGES,
            {
                "number": phone_number_id,
                "status": MessageStatus.QUEUED.value,
                "priority": priority_number(priority),
                "order": {"$gt": above, "$lte": up_to},
            },
            sort=[("number", 1), ("status", 1), ("priority", 1), ("order", 1)],
            limit=limit,
        )
        return [message_record(document) for document in found]

    async def queued_to(
        self, phone_number_id: str, priority: Priority, to: Sequence[str], *, above: int, limit: int
    ) -> list[Message]:
        """Messages for any of these addresses that wait to be sent with ``order > above``, oldest first."""
        found = await self._database.find(
            MESSAGES,
            {
                "to": to[0] if len(to) == 1 else {"$in": list(to)},
                "order": {"$gt": above, "$lte": order_ahead()},
                "number": phone_number_id,
                "status": MessageStatus.QUEUED.value,
                "priority": priority_number(priority),
            },
            sort=[("to", 1), ("order", 1)] if len(to) == 1 else [("order", 1)],
            limit=limit,
        )
        return [message_record(document) for document in found]

    async def queued_count(self, phone_number_id: str) -> int:
        """How many messages of a number wait to be sent."""
        query = {
            "number": phone_number_id,
            "status": MessageStatus.QUEUED.value,
            "priority": {"$in": [priority_number(priority) for priority in Priority]},
        }
        pipeline: list[dict[str, Any]] = [{"$match": query}, {"$group": {"_id": None, "count": {"$sum": 1}}}]
        found = await self._database.aggregate(MESSAGES, pipeline, limit=1)
        return int(found[0]["count"]) if found else 0

    async def queued_keys(
        self, phone_number_id: str, priority: Priority, *, up_to: int, limit: int
    ) -> list[tuple[str, str]]:
        """Id and recipient of the messages of a priority that wait with ``order <= up_to``, in no order."""
        found = await self._database.find(
            MESSAGES,
            {
                "number": phone_number_id,
                "status": MessageStatus.QUEUED.value,
                "priority": priority_number(priority),
                "order": {"$gt": 0, "$lte": up_to},
            },
            projection={"to": 1},
            limit=limit,
        )
        return [(document["_id"], document["to"]) for document in found]

    async def queued_beyond(self, phone_number_id: str, priority: Priority, *, above: int) -> int | None:
        """The highest ``order`` above this one of the messages of a priority that wait; None when there is none."""
        found = await self._database.find(
            MESSAGES,
            {
                "number": phone_number_id,
                "status": MessageStatus.QUEUED.value,
                "priority": priority_number(priority),
                "order": {"$gt": above},
            },
            projection={"order": 1},
            sort=[("number", -1), ("status", -1), ("priority", -1), ("order", -1)],
            limit=1,
        )
        return int(found[0]["order"]) if found else None

    async def due(self, phone_number_id: str, now: datetime, *, limit: int) -> list[Message]:
        """Scheduled and held messages whose time has come, in the order of that time."""
        found = await self._database.find(
            MESSAGES,
            {"number": phone_number_id, "due_at": {"$gt": EPOCH, "$lte": now}},
            sort=[("number", 1), ("due_at", 1)],
            limit=limit,
        )
        return [message_record(document) for document in found]

    async def in_order(
        self, phone_number_id: str, status: MessageStatus, *, above: int, up_to: int, limit: int
    ) -> list[Message]:
        """Outbound messages in this state with ``above < order <= up_to``, oldest first: a page to go on from."""
        found = await self._database.find(
            MESSAGES,
            {
                "number": phone_number_id,
                "status": status.value,
                "priority": {"$in": [priority_number(priority) for priority in Priority]},
                "order": {"$gt": above, "$lte": up_to},
            },
            sort=[("order", 1)],
            limit=limit,
        )
        return [message_record(document) for document in found]

    async def in_state(self, phone_number_id: str, statuses: Sequence[MessageStatus], *, limit: int) -> list[Message]:
        """Messages of a number in one of these states, oldest first."""
        found = await self._database.find(
            MESSAGES,
            {"number": phone_number_id, "status": {"$in": [status.value for status in statuses]}},
            limit=limit,
        )
        return sorted((message_record(document) for document in found), key=lambda message: message.order)

    async def page(self, wanted: MessageFilter, *, limit: int) -> list[Message]:
        """Up to ``limit`` messages that fit, the newest first."""
        query = _query(wanted)
        below = wanted.before if wanted.before is not None else order_ahead()
        found = await newest(
            self._database,
            MESSAGES,
            query,
            field="order",
            below=below,
            first_slice=FIRST_SLICE,
            limit=limit,
        )
        return [message_record(document) for document in found]


def plain_key(wamid: str) -> str:
    """The content key of a message that is neither an edit nor a deletion."""
    return f"in:{wamid}"


def _query(wanted: MessageFilter) -> dict[str, Any]:
    query: dict[str, Any] = {}
    if wanted.conversation_id is not None:
        query["conversation"] = wanted.conversation_id
    if wanted.phone_number_id is not None:
        query["number"] = wanted.phone_number_id
    elif wanted.numbers:
        query["number"] = {"$in": sorted(wanted.numbers)}
    if wanted.status is not None:
        query["status"] = wanted.status.value
    if wanted.to is not None:
        query["to"] = wanted.to
    if wanted.direction is not None:
        query["direction"] = wanted.direction.value
    if wanted.campaign_id is not None:
        query["campaign"] = wanted.campaign_id
    return query
