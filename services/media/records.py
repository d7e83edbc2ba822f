"""What a file is inside Panal: frozen records, no bytes.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class MediaOrigin(StrEnum):
    """``upload``: a client of ours brought it. ``customer``: it came with a customer's message."""

    UPLOAD = "upload"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class PlatformMedia:
    """WhatsApp's id of an uploaded file, for one of our numbers."""

    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Media:
    """A file. ``sha256`` is hexadecimal; None, like ``size_bytes``, where nobody has told.

    ``id`` is digits alone: clients of the Cloud API expect that. A customer's file keeps WhatsApp's id.
    """

    id: str
    phone_number_id: str
    origin: MediaOrigin
    mime_type: str
    kind: str
    created_at: datetime
    expires_at: datetime
    sha256: str | None = None
    size_bytes: int | None = None
    filename: str | None = None
    message_id: str | None = None
    platform: Mapping[str, PlatformMedia] = field(default_factory=dict)
    is_deleted: bool = False
