"""Retention during one reign: deleting what is old, and watching how full the database is.

Process: whatsapp.
"""

from services.retention import Cleaner, IdleCleaner, RetentionOptions, StorageWatch
from services.whatsapp.context import OwnerContext


def cleaner_of(court: OwnerContext) -> Cleaner:
    """Who deletes."""
    settings = court.settings
    idle = IdleCleaner(
        court.database,
        court.journal,
        court.clock,
        conversations=court.directory,
        contacts=court.contact_ledger,
        conversations_days=settings.retention_conversations_days,
        contacts_days=settings.retention_contacts_days,
        numbers=court.number_ids,
        opened=court.opened,
    )
    return Cleaner(
        court.database,
        court.journal,
        court.clock,
        is_owner=court.lease.is_held,
        options=RetentionOptions(
            messages_days=settings.retention_messages_days,
            campaigns_days=settings.retention_campaigns_days,
            idempotency_s=settings.idempotency_ttl_s,
        ),
        idle=idle,
    )


def storage_of(court: OwnerContext) -> StorageWatch:
    """Who measures."""
    return StorageWatch(
        court.database,
        court.journal,
        court.clock,
        limit_mb=court.settings.storage_mb,
        number=court.number_ids[0],
    )
