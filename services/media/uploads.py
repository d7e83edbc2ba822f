"""A client brings a file: its bytes are stored as they come, then looked at, then it has an id.

Process: worker.
"""

import secrets
from collections.abc import AsyncIterable, AsyncIterator
from datetime import timedelta

from config import limits
from config.clock import Clock
from config.digits import whole_number_in
from config.errors import Unavailable
from services.media.kinds import MAX_BYTES, MediaRefused, clean_filename, judge, kind_of
from services.media.multipart import FilePart, FormRefused, read_form
from services.media.records import Media, MediaOrigin
from services.media.remote_files import RemoteFiles
from services.media.repository import MediaRepository
from services.store import BlobFacts, Blobs

DIGITS = 15
"""Clients read media ids as digits, and some as a number that a double can hold."""
NO_FILE = "The form has no part named file."


class MediaUploads:
    """Stores files that clients bring. Insert only: what it did not finish, the owner sweeps."""

    def __init__(
        self, repository: MediaRepository, blobs: Blobs, links: RemoteFiles, clock: Clock, *, max_bytes: int
    ) -> None:
        """``max_bytes`` is the installation's own limit; WhatsApp's limits a kind are in ``kinds.py``."""
        self._repository = repository
        self._blobs = blobs
        self._links = links
        self._clock = clock
        self._max_bytes = max_bytes

    async def store_form(self, body: AsyncIterable[bytes], content_type: str, *, phone_number_id: str) -> Media:
        """Store the file of a multipart form: ``file``, and optionally ``type`` and ``ttl_minutes``, in any order.

        Raises ``FormRefused``, ``MediaRefused``, ``BlobTooLarge``, ``Unavailable``; then nothing is left behind.
        """
        media_id = new_media_id()
        most = self._max_bytes

        async def keep(part: FilePart, data: AsyncIterator[bytes]) -> BlobFacts:
            return await self._blobs.write(media_id, data, max_bytes=_most(part.content_type, most))

        try:
            form = await read_form(body, content_type, store=keep)
            if form.part is None or form.stored is None:
                raise FormRefused(NO_FILE)
            return await self._finish(
                media_id,
                form.stored,
                declared=form.fields.get("type") or form.part.content_type,
                filename=form.part.filename,
                phone_number_id=phone_number_id,
                lifetime=_lifetime(form.fields.get("ttl_minutes")),
            )
        except BaseException:
            await self._blobs.delete(media_id)
            raise

    async def store_link(self, url: str, *, phone_number_id: str) -> Media:
        """Fetch a file and store it. Raises ``UrlRefused`` and ``LinkFailed``, and what ``store_form`` raises."""
        media_id = new_media_id()
        async with self._links.open(url) as found:
            try:
                most = _most(found.content_type, self._max_bytes)
                return await self._finish(
                    media_id,
                    await self._blobs.write(media_id, found.chunks, max_bytes=most),
                    declared=found.content_type,
                    filename=found.filename,
                    phone_number_id=phone_number_id,
                )
            except BaseException:
                await self._blobs.delete(media_id)
                raise

    async def _finish(
        self,
        media_id: str,
        facts: BlobFacts,
        *,
        declared: str | None,
        filename: str | None,
        phone_number_id: str,
        lifetime: timedelta = limits.MEDIA_ID_LIFETIME,
    ) -> Media:
        found = judge(declared, facts.head, facts.size_bytes)
        now = self._clock.now()
        media = Media(
            id=media_id,
            phone_number_id=phone_number_id,
            origin=MediaOrigin.UPLOAD,
            mime_type=found.mime_type,
            kind=found.kind,
            created_at=now,
            expires_at=now + lifetime,
            sha256=facts.sha256,
            size_bytes=facts.size_bytes,
            filename=clean_filename(filename),
        )
        if not await self._repository.add(media):
            raise Unavailable("The file could not get an id. Try again.", detail=f"media id {media_id} is taken")
        return media


def new_media_id() -> str:
    """Fifteen random digits."""
    lowest = 10 ** (DIGITS - 1)
    return str(lowest + secrets.randbelow(9 * lowest))


def _most(declared: str | None, most: int) -> int:
    """Stop early where the type is known: 100 MB need not come in to learn that it is no sticker."""
    kind = kind_of(declared or "")
    return most if kind is None else min(most, MAX_BYTES[kind])


def _lifetime(minutes: str | None) -> timedelta:
    """Meta's ``ttl_minutes`` (2026): never longer than an id lives anyway."""
    if minutes is None or not minutes:
        return limits.MEDIA_ID_LIFETIME
    found = whole_number_in(minutes, most=10**6)
    if not found:
        raise MediaRefused("Param ttl_minutes must be a positive number.")
    return min(timedelta(minutes=found), limits.MEDIA_ID_LIFETIME)
