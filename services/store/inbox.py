"""Durable inboxes: workers store items for the owner, which reads them in order and marks them done.

Process: worker (stores), whatsapp (reads).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.store.database import Database
from services.store.driver import Document
from services.store.operation_budget import BatchDelay
from services.store.versioned_write import VersionedWrite

NOTIFICATIONS: Final = "notifications"
COMMANDS: Final = "commands"

NEW: Final = "new"
ERRAND: Final = "errand"
"""State of a command that has to call WhatsApp: it waits in a queue of its own, so quick commands need not."""
DONE: Final = "done"
FAILED: Final = "failed"
NOTIFICATION_DELAY: Final = BatchDelay(0.04, tokens=5.0)
"""Meta waits seconds for its answer, and a status may come a little later."""


@dataclass(frozen=True, slots=True)
class RawNotification:
    """The exact bytes that Meta posted, as they were stored before the 200."""

    id: str
    order: int
    body: bytes
    received_at: datetime


def notification_document(notification: RawNotification) -> Document:
    """The document of a new notification."""
    return {
        "_id": notification.id,
        "order": notification.order,
        "state": NEW,
        "body": notification.body,
        "received_at": notification.received_at,
    }


async def new_notifications(database: Database, *, limit: int) -> list[RawNotification]:
    """The oldest notifications that wait, up to ``limit``. Raises ``Unavailable``."""
    found = await database.find(NOTIFICATIONS, {"state": NEW}, sort=[("state", 1), ("order", 1)], limit=limit)
    return [
        RawNotification(
            id=document["_id"],
            order=int(document["order"]),
            body=bytes(document["body"]),
            received_at=document["received_at"],
        )
        for document in found
    ]


async def new_commands(database: Database, *, limit: int, state: str = NEW) -> list[Document]:
    """The oldest commands that wait in this state, up to ``limit``, as documents. Raises ``Unavailable``."""
    return await database.find(COMMANDS, {"state": state}, sort=[("state", 1), ("order", 1)], limit=limit)


def mark(collection: str, id_: str, state: str, result: dict[str, Any] | None = None) -> VersionedWrite:
    """The write that marks an item done or failed, with its result where a caller waits for one."""
    values: dict[str, Any] = {"state": state}
    if result is not None:
        values["result"] = result
    return VersionedWrite(collection, id_, None, set=values)
