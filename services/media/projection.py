"""Files that came with customers' messages: their facts, from the numbered events.

Process: whatsapp.
"""

from collections.abc import Mapping

from config import limits
from services.media.kinds import KINDS, UNKNOWN_TYPE, is_media_type
from services.media.records import Media, MediaOrigin
from services.media.repository import MEDIA, media_document
from services.media.service import hexadecimal
from services.store import Event, VersionedWrite


def project_media(event: Event) -> list[VersionedWrite]:
    """The write on ``media`` that this event asks for: one for a message that is a file."""
    if event.type != "message.received" or event.data.get("type") not in KINDS:
        return []
    kind = event.data["type"]
    part = event.data.get("content", {}).get(kind)
    if not isinstance(part, Mapping) or not isinstance(part.get("id"), str) or not part["id"]:
        return []
    sent_at = event.data.get("sent_at") or event.at
    filename = part.get("filename")
    mime_type = str(part.get("mime_type") or UNKNOWN_TYPE)
    media = Media(
        id=part["id"],
        phone_number_id=event.number,
        origin=MediaOrigin.CUSTOMER,
        mime_type=mime_type if is_media_type(mime_type) else UNKNOWN_TYPE,
        kind=kind,
        created_at=event.at,
        # WhatsApp gives a file for a week; what was fetched by then is kept as long as an upload.
        expires_at=sent_at + limits.MEDIA_ID_LIFETIME,
        sha256=hexadecimal(str(part.get("sha256") or "")),
        filename=filename if isinstance(filename, str) else None,
        message_id=event.data.get("message_id"),
    )
    values = media_document(media)
    id_ = values.pop("_id")
    return [VersionedWrite(MEDIA, id_, event.seq, set=values, upsert=True)]
