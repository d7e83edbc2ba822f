"""The only room that knows MongoDB: client, schema, group commit, lease, numbered log, inboxes.

Process: worker, whatsapp.
"""

from services.store.ascent import EPOCH_FLOOR, Ascent
from services.store.blobs import Blob, BlobFacts, Blobs, BlobTooLarge
from services.store.database import Database, DatabaseOptions, Document, PoolUse
from services.store.descent import newest
from services.store.event_log import EVENTS, Event, Fact, Fenced, Unencodable, append, event_record, fault_of, last_seq
from services.store.event_log import read as read_events
from services.store.event_stream import EventStream
from services.store.faults import DatabaseBusy, DatabaseUnavailable, StorageFull, WriteRefused
from services.store.group_commit import DuplicateOf, GroupCommit, IntakeFull, Promise
from services.store.group_read import GroupRead, ReadsFull
from services.store.guarded import Write
from services.store.inbox import (
    COMMANDS,
    DONE,
    ERRAND,
    FAILED,
    NEW,
    NOTIFICATION_GATHER,
    NOTIFICATIONS,
    RawNotification,
    mark,
    new_commands,
    new_notifications,
    notification_document,
)
from services.store.indexes import expiry_indexes
from services.store.lease import Lease, LeaseView, is_lease_held
from services.store.pacer import Gather, Line, Pacer, Shares, shares
from services.store.read_gate import ReadGate
from services.store.schema import META, ensure_schema, is_schema_ready
from services.store.shared_read import AHEAD_S, Remembered, SharedRead
from services.store.sizes import CollectionSize, DatabaseSize, measure
from services.store.wakeup import Wakeup

__all__ = [
    "AHEAD_S",
    "COMMANDS",
    "DONE",
    "EPOCH_FLOOR",
    "ERRAND",
    "EVENTS",
    "FAILED",
    "META",
    "NEW",
    "NOTIFICATIONS",
    "NOTIFICATION_GATHER",
    "Ascent",
    "Blob",
    "BlobFacts",
    "BlobTooLarge",
    "Blobs",
    "CollectionSize",
    "Database",
    "DatabaseBusy",
    "DatabaseOptions",
    "DatabaseSize",
    "DatabaseUnavailable",
    "Document",
    "DuplicateOf",
    "Event",
    "EventStream",
    "Fact",
    "Fenced",
    "Gather",
    "GroupCommit",
    "GroupRead",
    "IntakeFull",
    "Lease",
    "LeaseView",
    "Line",
    "Pacer",
    "PoolUse",
    "Promise",
    "RawNotification",
    "ReadGate",
    "ReadsFull",
    "Remembered",
    "SharedRead",
    "Shares",
    "StorageFull",
    "Unencodable",
    "Wakeup",
    "Write",
    "WriteRefused",
    "append",
    "ensure_schema",
    "event_record",
    "expiry_indexes",
    "fault_of",
    "is_lease_held",
    "is_schema_ready",
    "last_seq",
    "mark",
    "measure",
    "new_commands",
    "new_notifications",
    "newest",
    "notification_document",
    "read_events",
    "shares",
]
