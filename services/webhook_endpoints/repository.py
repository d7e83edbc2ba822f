"""Reading endpoints and what became of deliveries.

Process: worker, whatsapp.
"""

import logging
from collections.abc import Iterable
from typing import Any

from services.store import Database
from services.vault import SecretBox, SecretUnreadable
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
    vault_document,
    vault_record,
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

log = logging.getLogger(__name__)

MOST_ENDPOINTS = 100
MOST_STREAMS = 10_000


class WebhookRepository:
    """Few endpoints, so they are read all at once; attempts and dead letters in pages.

    Every method raises ``Unavailable`` while the database does not answer.
    """

    def __init__(self, database: Database, box: SecretBox) -> None:
        """``box`` seals and opens what lies in the vault."""
        self._database = database
        self._box = box

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
        """What lies under these references: ``Target`` or the text of a secret.

        What does not open is left out, and told in the log.
        """
        wanted = list(refs)
        found = await self._database.find(VAULT, {"_id": {"$in": wanted}}, limit=len(wanted)) if wanted else []
        held: dict[str, Any] = {}
        for document in found:
            try:
                held[document["_id"]] = vault_record(document, self._box)
            except SecretUnreadable as error:
                log.error(
                    "A secret of an endpoint cannot be opened.",
                    extra={
                        "action": "webhook_endpoint.unreadable",
                        "endpoint_id": document.get("endpoint"),
                        "detail": error.detail,
                    },
                )
        return held

    async def streams(self, endpoint_id: str | None = None) -> list[StreamRecord]:
        """Streams of one endpoint, or all."""
        query = {} if endpoint_id is None else {"endpoint": endpoint_id}
        found = await self._database.find(STREAMS, query, limit=MOST_STREAMS)
        return [stream_record(document) for document in found]

    async def lanes(self, *, limit: int) -> list[ParkedLane]:
        """Up to ``limit`` parked lanes of all streams."""
        return [lane_record(document) for document in await self._database.find(LANES, {}, limit=limit)]

    async def attempts(self, endpoint_id: str, *, before: int | None, limit: int) -> list[Attempt]:
        """Tries at an endpoint, the newest first; ``before`` is the ``order`` of the last one seen."""
        query: dict[str, Any] = {"endpoint": endpoint_id}
        if before is not None:
            query["order"] = {"$lt": before}
        found = await self._database.find(ATTEMPTS, query, sort=[("endpoint", -1), ("order", -1)], limit=limit)
        return [attempt_record(document) for document in found]

    async def attempt(self, attempt_id: str) -> Attempt | None:
        """One try by its id; None when it is not written yet."""
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
        """Seal a target and store it under ``ref``; it is never changed afterwards."""
        await self._database.insert_many(VAULT, [vault_document(ref, endpoint_id, target, self._box)], ordered=True)

    async def put_secret(self, ref: str, endpoint_id: str, secret: str) -> None:
        """Seal a secret and store it under ``ref``; it is never changed afterwards."""
        await self._database.insert_many(VAULT, [vault_document(ref, endpoint_id, secret, self._box)], ordered=True)

    async def forget(self, endpoint_id: str) -> None:
        """Remove all that is left of a deleted endpoint but its attempts, which end by their retention."""
        for collection in (VAULT, STREAMS, LANES, DEAD_LETTERS):
            await self._database.delete_many(collection, {"endpoint": endpoint_id})
        await self._database.delete_many(ENDPOINTS, {"_id": endpoint_id})
