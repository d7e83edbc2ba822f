"""Files as documents; their bytes are blobs of the same name.

Process: worker, whatsapp.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.media.kinds import UNKNOWN_TYPE, is_media_type
from services.media.records import Media, MediaOrigin, PlatformMedia
from services.store import Database

MEDIA: Final = "media"
BUCKET: Final = "blobs"

_PLAIN: Final = ("mime_type", "kind", "created_at", "expires_at", "sha256", "size_bytes", "filename")


class MediaRepository:
    """The files of one database.

    Every read raises ``Unavailable`` while the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, media_id: str, *, with_deleted: bool = False) -> Media | None:
        """One file, also when it has expired."""
        found = await self._database.find_one(MEDIA, {"_id": media_id})
        return media_record(found) if found is not None and (with_deleted or not found.get("is_deleted")) else None

    async def by_ids(self, ids: Sequence[str]) -> dict[str, Media]:
        """Those that exist, in one round trip."""
        found = await self._database.find(MEDIA, {"_id": {"$in": list(ids)}}, limit=len(ids))
        return {document["_id"]: media_record(document) for document in found if not document.get("is_deleted")}

    async def add(self, media: Media) -> bool:
        """Store a new file's facts; False when its id is taken."""
        return not await self._database.insert_many(MEDIA, [media_document(media)], ordered=True)

    async def remember(self, media_id: str, phone_number_id: str, platform: PlatformMedia) -> None:
        """Keep WhatsApp's id of a file for this number."""
        entry = {"id": platform.id, "expires_at": platform.expires_at}
        await self._database.update(
            MEDIA, {"_id": media_id}, {"$set": {f"platform.{phone_number_id}": entry}}, upsert=False
        )

    async def ended(self, now: datetime, *, limit: int) -> list[Media]:
        """Files whose time is over, the oldest first."""
        found = await self._database.find(MEDIA, {"expires_at": {"$lte": now}}, sort=[("expires_at", 1)], limit=limit)
        return [media_record(document) for document in found]

    async def forget(self, ids: Sequence[str]) -> None:
        """Remove the documents; their blobs must be gone."""
        await self._database.delete_many(MEDIA, {"_id": {"$in": list(ids)}})


def media_document(media: Media) -> dict[str, Any]:
    """The stored form; empty fields are left out."""
    document: dict[str, Any] = {"_id": media.id, "number": media.phone_number_id, "origin": media.origin.value}
    document |= {name: value for name in _PLAIN if (value := getattr(media, name)) is not None}
    if media.message_id is not None:
        document["message"] = media.message_id
    return document


def media_record(document: Mapping[str, Any]) -> Media:
    """The record of a stored file. A type that cannot stand in a header (once, anything was stored) is not known."""
    platform = document.get("platform", {})
    plain: dict[str, Any] = {name: document.get(name) for name in _PLAIN}
    if not is_media_type(str(plain["mime_type"])):
        plain["mime_type"] = UNKNOWN_TYPE
    return Media(
        id=document["_id"],
        phone_number_id=document["number"],
        origin=MediaOrigin(document["origin"]),
        message_id=document.get("message"),
        is_deleted=bool(document.get("is_deleted")),
        platform={number: PlatformMedia(entry["id"], entry["expires_at"]) for number, entry in platform.items()},
        **plain,
    )
