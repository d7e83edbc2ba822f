"""Retention during one term: deleting what is old, and watching how full the database is.

Process: whatsapp.
"""

from services.retention import Cleaner, IdleCleaner, RetentionOptions, StorageWatch
from services.whatsapp.context import OwnerContext


def cleaner_of(context: OwnerContext) -> Cleaner:
    """Who deletes."""
    settings = context.settings
    idle = IdleCleaner(
        context.database,
        context.event_writer,
        context.clock,
        conversations=context.conversations,
        contacts=context.contact_state,
        conversations_days=settings.retention_conversations_days,
        contacts_days=settings.retention_contacts_days,
        numbers=context.number_ids,
        opened=context.opened,
    )
    return Cleaner(
        context.database,
        context.event_writer,
        context.clock,
        is_owner=context.lease.is_held,
        options=RetentionOptions(
            messages_days=settings.retention_messages_days,
            campaigns_days=settings.retention_campaigns_days,
            idempotency_s=settings.idempotency_ttl_s,
        ),
        idle=idle,
    )


def storage_of(context: OwnerContext) -> StorageWatch:
    """Who measures."""
    return StorageWatch(
        context.database,
        context.event_writer,
        context.clock,
        limit_mb=context.settings.storage_mb,
        number=context.number_ids[0],
    )
