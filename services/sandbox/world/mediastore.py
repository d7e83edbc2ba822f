"""Media: bytes in files, facts on a shelf, urls that carry their own proof and end after five minutes.

Process: sandbox.

Source: Meta, "Media" (2025-12): uploads live 30 days, ids from notifications 7 days, urls 5 minutes.
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from services.sandbox.wire.shapes import Json
from services.sandbox.world.world import World

SAMPLES = Path(__file__).parent.parent / "samples"
SAMPLE_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
}
UPLOAD_LIFE_S = 30 * 24 * 3600
INBOUND_LIFE_S = 7 * 24 * 3600
URL_LIFE_S = 5 * 60
MB = 1024 * 1024

IMAGE = ("image/jpeg", "image/png")
STICKER = ("image/webp",)
AUDIO = ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus")
VIDEO = ("video/mp4", "video/3gpp")
LIMITS_BYTES = {"image": 5 * MB, "audio": 16 * MB, "video": 16 * MB, "document": 100 * MB, "sticker": 500 * 1024}


@dataclass(frozen=True, slots=True)
class MediaUrl:
    """What a media url says about itself."""

    media_id: str
    ends_at_s: int
    proof: str


class MediaStore:
    """Files under the data folder, one a media id."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._folder = world.options.folder / "media"

    def path_of(self, media_id: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / media_id

    def add(
        self,
        data: bytes | Path,
        *,
        mime_type: str,
        phone_number_id: str,
        sha256: str | None = None,
        is_inbound: bool = False,
        filename: str | None = None,
    ) -> Json:
        """Keep bytes, or a finished file whose hash the caller counted; gives the media object."""
        world = self._world
        media_id = world.new_object_id("media")
        path = self.path_of(media_id)
        if isinstance(data, Path):
            data.replace(path)
        else:
            path.write_bytes(data)
            sha256 = hashlib.sha256(data).hexdigest()
        life_s = world.settings.now.media_life_s or (INBOUND_LIFE_S if is_inbound else UPLOAD_LIFE_S)
        media: Json = {
            "id": media_id,
            "mime_type": mime_type,
            "sha256": sha256,
            "file_size": path.stat().st_size,
            "phone_number_id": phone_number_id,
            "ends_at": world.now() + life_s,
            "filename": filename,
        }
        world.media.put(media_id, media)
        return media

    def get(self, media_id: str) -> Json | None:
        """None for one that is unknown, deleted or past its life."""
        media = self._world.media.get(media_id)
        return media if media is not None and media["ends_at"] > self._world.now() else None

    def drop(self, media_id: str) -> None:
        self._world.media.drop(media_id)
        self.path_of(media_id).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove every file, for a reset."""
        if self._folder.exists():
            for path in self._folder.iterdir():
                path.unlink(missing_ok=True)

    def url_of(self, media: Json, base_url: str) -> str:
        """An address like Meta's: media id, end of life, hash. It works without a token."""
        ends_at_s = int(self._world.now()) + URL_LIFE_S
        proof = self._proof(media["id"], ends_at_s)
        return f"{base_url}/whatsapp_business/attachments/?mid={media['id']}&ext={ends_at_s}&hash={proof}"

    def opens(self, url: MediaUrl) -> bool:
        return url.proof == self._proof(url.media_id, url.ends_at_s) and url.ends_at_s >= self._world.now()

    def notified(self, media: Json) -> Json:
        """The keys that stand in a notification; the hash is base64 there, and hex in `GET /{media}`."""
        digest = base64.b64encode(bytes.fromhex(media["sha256"])).decode("ascii")
        url = self.url_of(media, self._world.options.base_url)
        return {"mime_type": media["mime_type"], "sha256": digest, "id": media["id"], "url": url}

    def _proof(self, media_id: str, ends_at_s: int) -> str:
        return self._world.ids.token(f"media {media_id}", ends_at_s)


def kind_of_mime(mime_type: str) -> str | None:
    """The kind of message that may carry it, or None for what Meta does not take."""
    bare = mime_type.partition(";")[0].strip().lower()
    for kind, known in (("image", IMAGE), ("sticker", STICKER), ("audio", AUDIO), ("video", VIDEO)):
        if bare in known:
            return kind
    is_other_media = bare.startswith(("image/", "audio/", "video/", "multipart/"))
    return None if is_other_media or bare in ("", "application/octet-stream") else "document"
