"""Retention during one reign: deleting what is old, and watching how full the database is.

Process: whatsapp.
"""

from services.retention import Cleaner, RetentionOptions, StorageWatch
from services.whatsapp.court import Court


def cleaner_of(court: Court) -> Cleaner:
    """Who deletes."""
    settings = court.settings
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
    )


def storage_of(court: Court) -> StorageWatch:
    """Who measures."""
    return StorageWatch(
        court.database,
        court.journal,
        court.clock,
        limit_mb=court.settings.storage_mb,
        number=court.number_ids[0],
    )
