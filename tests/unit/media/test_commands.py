"""Files end: nobody finds them any more, messages cannot name them, and their bytes go."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from services.media.commands import MediaCommands
from services.media.records import Media, MediaOrigin, PlatformMedia
from services.media.service import MediaService, NoSuchMedia
from tests.doubles.clock import START, ManualClock
from tests.doubles.event_writer import NUMBER

MONTH = timedelta(days=30)


def media(media_id: str, *, ends_at: datetime, **more: object) -> Media:
    made = Media(
        id=media_id,
        phone_number_id=NUMBER,
        origin=MediaOrigin.UPLOAD,
        kind="image",
        mime_type="image/png",
        size_bytes=3,
        sha256="0" * 64,
        created_at=START,
        expires_at=ends_at,
    )
    return replace(made, **more)  # type: ignore[arg-type]


@dataclass
class Shelf:
    """Documents, bytes, copies at WhatsApp and what is remembered of them, all in one."""

    rows: dict[str, Media] = field(default_factory=dict)
    went: list[str] = field(default_factory=list)

    async def get(self, media_id: str, *, with_deleted: bool = False) -> Media | None:
        found = self.rows.get(media_id)
        return found if found is not None and (with_deleted or not found.is_deleted) else None

    async def ended(self, now: datetime, *, limit: int) -> list[Media]:
        return [one for one in self.rows.values() if one.expires_at <= now][:limit]

    async def forget(self, ids: list[str]) -> None:
        self.rows = {media_id: one for media_id, one in self.rows.items() if media_id not in ids}


@dataclass
class Bytes:
    went: list[str]

    async def delete(self, media_id: str) -> None:
        self.went.append(f"bytes {media_id}")

    async def sweep(self) -> int:
        return 0


@dataclass
class Copies:
    went: list[str]

    @property
    def media(self) -> "Copies":
        return self

    def token_of(self, number: str) -> str:
        return "token"

    async def delete(self, platform_id: str, token: str, *, phone_number_id: str) -> None:
        self.went.append(f"copy {platform_id}")

    def forget(self, media_id: str) -> None:
        self.went.append(f"memory {media_id}")


async def test_a_file_is_there_until_its_time_is_over() -> None:
    clock, shelf = ManualClock(), Shelf({"1": media("1", ends_at=START + MONTH)})
    library = MediaService(shelf, None, None, clock)  # type: ignore[arg-type]
    assert (await library.get("1")).id == "1"
    clock.advance(MONTH.total_seconds())
    with pytest.raises(NoSuchMedia):
        await library.get("1")


async def test_what_has_ended_goes_and_a_deleted_file_takes_its_copies_along() -> None:
    clock, went = ManualClock(), list[str]()
    platform = {NUMBER: PlatformMedia("wa_2", START + MONTH)}
    shelf = Shelf(
        {
            "1": media("1", ends_at=START - timedelta(seconds=1)),
            "2": media("2", ends_at=START, is_deleted=True, platform=platform),
            "3": media("3", ends_at=START + timedelta(seconds=1)),
        }
    )
    keeping = MediaCommands(shelf, Bytes(went), Copies(went), Copies(went), clock)  # type: ignore[arg-type]
    assert await keeping.sweep() == 2
    assert went == ["memory 1", "bytes 1", "memory 2", "copy wa_2", "bytes 2"]
    assert list(shelf.rows) == ["3"]
    assert await keeping.sweep() == 0
