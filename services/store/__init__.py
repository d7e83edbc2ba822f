"""The only package that knows MongoDB: client, schema, group commit, lease, numbered log, inboxes.

Process: worker, whatsapp.
"""

from services.store.batch_loader import BatchLoader, ReadsFull
from services.store.blobs import Blob, BlobFacts, Blobs, BlobTooLarge
from services.store.change_notifier import ChangeNotifier
from services.store.database import Database, DatabaseOptions
from services.store.driver import Document
from services.store.event_log import (
    EVENTS,
    SEQ_FLOOR,
    SEQ_FLOORS,
    Event,
    Fact,
    Fenced,
    Recorded,
    Recorder,
    Unencodable,
    append,
    event_record,
    fault_of,
    last_seq,
    raise_seq_floor,
    seq_floor,
)
from services.store.event_log import read as read_events
from services.store.event_stream import EventStream
from services.store.faults import DatabaseBusy, DatabaseUnavailable, StorageFull, WriteRefused
from services.store.group_commit import DuplicateOf, GroupCommit, IntakeFull, Promise
from services.store.inbox import (
    COMMANDS,
    DONE,
    ERRAND,
    FAILED,
    NEW,
    NOTIFICATION_DELAY,
    NOTIFICATIONS,
    RawNotification,
    mark,
    new_commands,
    new_notifications,
    notification_document,
)
from services.store.indexes import expiry_indexes
from services.store.lease import Lease, LeaseView, is_lease_held
from services.store.operation_budget import BatchDelay, BudgetQueue, OperationBudget, Shares, shares
from services.store.paging import EPOCH_FLOOR, AscendingReader, newest
from services.store.read_gate import ReadGate
from services.store.schema import META, ensure_schema, is_schema_ready
from services.store.single_flight import AHEAD_S, RefreshAheadCache, SingleFlight
from services.store.sizes import CollectionSize, DatabaseSize, measure
from services.store.versioned_write import VersionedWrite, operation, operations

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
    "NOTIFICATION_DELAY",
    "SEQ_FLOOR",
    "SEQ_FLOORS",
    "AscendingReader",
    "BatchDelay",
    "BatchLoader",
    "Blob",
    "BlobFacts",
    "BlobTooLarge",
    "Blobs",
    "BudgetQueue",
    "ChangeNotifier",
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
    "GroupCommit",
    "IntakeFull",
    "Lease",
    "LeaseView",
    "OperationBudget",
    "Promise",
    "RawNotification",
    "ReadGate",
    "ReadsFull",
    "Recorded",
    "Recorder",
    "RefreshAheadCache",
    "Shares",
    "SingleFlight",
    "StorageFull",
    "Unencodable",
    "VersionedWrite",
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
    "operation",
    "operations",
    "raise_seq_floor",
    "read_events",
    "seq_floor",
    "shares",
]
