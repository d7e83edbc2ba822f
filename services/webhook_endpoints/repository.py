"""Reading endpoints and what became of deliveries.

Process: worker, whatsapp.
"""

from collections.abc import Iterable
from typing import Any

from services.store import Database
from services.webhook_endpoints.documents import (
    ATTEMPTS,
    DEAD_LETTERS,
    ENDPOINTS,
    LANES,
    STREAMS,
    VAULT,
    attempt_record,
    endpoint_record,
    lane_record,
    letter_record,
    stream_record,
)
from services.webhook_endpoints.records import (
    Attempt,
    DeadLetter,
    Endpoint,
    EndpointStatus,
    ParkedLane,
    StreamRecord,
    Target,
)

MOST_ENDPOINTS = 100
MOST_STREAMS = 10_000


class WebhookRepository:
    """Few endpoints, so they are read all at once; attempts and dead letters in pages."""

    def __init__(self, database: Database) -> None:
        """No input or output."""
        self._database = database

    async def endpoints(self) -> list[Endpoint]:
        """Every endpoint that is not deleted, the oldest first."""
        found = await self._database.find(ENDPOINTS, {}, limit=10 * MOST_ENDPOINTS)
        endpoints = [endpoint_record(document) for document in found]
        return sorted(
            (endpoint for endpoint in endpoints if endpoint.status is not EndpointStatus.DELETED),
            key=lambda endpoint: endpoint.id,
        )

    async def endpoint(self, endpoint_id: str) -> Endpoint | None:
        """One endpoint, if it exists and is not deleted."""
        found = await self._database.find_one(ENDPOINTS, {"_id": endpoint_id})
        endpoint = endpoint_record(found) if found else None
        return None if endpoint is None or endpoint.status is EndpointStatus.DELETED else endpoint

    async def deleted_ids(self) -> list[str]:
        """Endpoints that were deleted and whose remains are still there."""
        found = await self._database.find(
            ENDPOINTS, {"status": EndpointStatus.DELETED.value}, projection={"_id": 1}, limit=MOST_ENDPOINTS
        )
        return [document["_id"] for document in found]

    async def vault(self, refs: Iterable[str]) -> dict[str, Any]:
        """What lies under these references: ``Target`` or the text of a secret."""
        wanted = list(refs)
        found = await self._database.find(VAULT, {"_id": {"$in": wanted}}, limit=len(wanted)) if wanted else []
        return {
            document["_id"]: Target(document["url"], dict(document["headers"]))
            if "url" in document
            else document["secret"]
            for document in found
        }

    async def streams(self, endpoint_id: str | None = None) -> list[StreamRecord]:
        """Streams of one endpoint, or all."""
        query = {} if endpoint_id is None else {"endpoint": endpoint_id}
        found = await self._database.find(STREAMS, query, limit=MOST_STREAMS)
        return [stream_record(document) for document in found]

    async def lanes(self, *, limit: int) -> list[ParkedLane]:
        """Every parked lane."""
        return [lane_record(document) for document in await self._database.find(LANES, {}, limit=limit)]

    async def attempts(self, endpoint_id: str, *, before: int | None, limit: int) -> list[Attempt]:
        """Tries at an endpoint, the newest first; ``before`` is the ``order`` of the last one seen."""
        query: dict[str, Any] = {"endpoint": endpoint_id}
        if before is not None:
            query["order"] = {"$lt": before}
        found = await self._database.find(ATTEMPTS, query, sort=[("endpoint", -1), ("order", -1)], limit=limit)
        return [attempt_record(document) for document in found]

    async def attempt(self, attempt_id: str) -> Attempt | None:
        """One try."""
        found = await self._database.find_one(ATTEMPTS, {"_id": attempt_id})
        return attempt_record(found) if found else None

    async def letters(self, endpoint_id: str, *, before: int | None, limit: int) -> list[DeadLetter]:
        """Dead letters of an endpoint, the newest first."""
        query: dict[str, Any] = {"endpoint": endpoint_id}
        if before is not None:
            query["order"] = {"$lt": before}
        found = await self._database.find(DEAD_LETTERS, query, sort=[("endpoint", -1), ("order", -1)], limit=limit)
        return [letter_record(document) for document in found]

    async def put_target(self, ref: str, endpoint_id: str, target: Target) -> None:
        """Lay a target into the vault; it is never changed afterwards."""
        document = {"_id": ref, "endpoint": endpoint_id, "url": target.url, "headers": dict(target.headers)}
        await self._database.insert_many(VAULT, [document], ordered=True)

    async def put_secret(self, ref: str, endpoint_id: str, secret: str) -> None:
        """Lay a secret into the vault."""
        await self._database.insert_many(VAULT, [{"_id": ref, "endpoint": endpoint_id, "secret": secret}], ordered=True)

    async def forget(self, endpoint_id: str) -> None:
        """Remove all that is left of a deleted endpoint but its attempts, which end by their retention."""
        for collection in (VAULT, STREAMS, LANES, DEAD_LETTERS):
            await self._database.delete_many(collection, {"endpoint": endpoint_id})
        await self._database.delete_many(ENDPOINTS, {"_id": endpoint_id})
