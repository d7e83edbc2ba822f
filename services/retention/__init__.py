"""Retention: what is kept for how long, and how full the database is.

Process: worker (reads the size), whatsapp.
"""

from services.retention.cleaner import Cleaner, RetentionOptions
from services.retention.idle import IdleCleaner
from services.retention.policy import expired_messages, level_of, order_at
from services.retention.storage import StorageReader, StorageWatch

__all__ = [
    "Cleaner",
    "IdleCleaner",
    "RetentionOptions",
    "StorageReader",
    "StorageWatch",
    "expired_messages",
    "level_of",
    "order_at",
]
