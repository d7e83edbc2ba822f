"""Every index there is. What is asked often has no partial index: the embedded server cannot use one.

Process: whatsapp (makes them), worker (the embedded server's query division reads them).
"""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Index:
    """One index: keys in order, and MongoDB's options (``unique``, ``expireAfterSeconds`` …)."""

    collection: str
    keys: tuple[tuple[str, int], ...]
    options: tuple[tuple[str, Any], ...] = ()
    name: str = ""

    @property
    def full_name(self) -> str:
        """As MongoDB names it by itself, unless it has a name of its own."""
        return self.name or "_".join(f"{field}_{way}" for field, way in self.keys)


INDEXES: Final = (
    Index("messages", (("number", 1), ("status", 1), ("priority", 1), ("order", 1))),
    Index("messages", (("number", 1), ("due_at", 1))),
    Index("messages", (("conversation", 1), ("order", 1))),
    Index("messages", (("order", 1),)),
    Index("messages", (("to", 1), ("order", 1))),
    Index("messages", (("wamid", 1),)),
    Index("messages", (("idempotency", 1),), (("unique", True), ("sparse", True)), name="idempotency_1_sparse"),
    Index("events", (("number", 1), ("seq", 1)), (("unique", True),)),
    Index("conversations", (("pair", 1),), (("unique", True),)),
    Index("conversations", (("activity", 1),)),
    Index("conversations", (("number", 1), ("activity", 1))),
    Index(
        "conversations",
        (("number", 1), ("initiated_at", 1)),
        (("partialFilterExpression", {"initiated_at": {"$exists": True}}),),
    ),
    Index("conversations", (("tokens", 1),)),
    Index("notes", (("conversation", 1), ("order", 1))),
    Index("notifications", (("state", 1), ("order", 1))),
    Index("commands", (("state", 1), ("order", 1))),
    Index("attempts", (("endpoint", 1), ("order", 1))),
    Index("dead_letters", (("endpoint", 1), ("order", 1))),
    Index("keys", (("digest", 1),), (("unique", True),)),
    Index("messages", (("campaign", 1), ("status", 1))),
    Index("contacts", (("key", 1),), (("unique", True),)),
    Index("contacts", (("keys", 1),)),
    Index("contacts", (("tokens", 1),)),
    Index("contacts", (("labels", 1), ("order", 1))),
    Index("contacts", (("opted_out", 1), ("order", 1))),
    Index("contacts", (("order", 1),)),
    Index("campaigns", (("order", 1),)),
    Index("campaigns", (("status", 1),)),
    Index("campaign_recipients", (("campaign", 1), ("order", 1))),
    # GridFS: the two that its specification asks for, made before the first upload.
    Index("blobs.files", (("filename", 1), ("uploadDate", 1))),
    Index("blobs.chunks", (("files_id", 1), ("n", 1)), (("unique", True),)),
    Index("blobs.intents", (("at", 1),)),
    Index("media", (("expires_at", 1),)),
    Index("templates", (("waba", 1), ("name", 1), ("language", 1))),
)


def expiry_indexes(*, events_days: int, notifications_days: int, attempts_days: int = 30) -> tuple[Index, ...]:
    """Time-to-live indexes: retention in days for each collection.

    Messages have none: the owner deletes them by ``order``, which has an index anyway.
    """
    day_s = 86_400
    return (
        Index("events", (("at", 1),), (("expireAfterSeconds", events_days * day_s),)),
        Index("notifications", (("received_at", 1),), (("expireAfterSeconds", notifications_days * day_s),)),
        Index("samples", (("at", 1),), (("expireAfterSeconds", 7_200),)),
        Index("sessions", (("expires_at", 1),), (("expireAfterSeconds", 0),)),
        Index("commands", (("at", 1),), (("expireAfterSeconds", 7 * day_s),)),
        Index("attempts", (("at", 1),), (("expireAfterSeconds", attempts_days * day_s),)),
    )
