"""A file of ours is uploaded to WhatsApp once a number, however many messages want it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from config.errors import Unavailable
from services.graph import GraphAccess, GraphRefused, GraphUnknown, GraphUnsendable, classify
from services.links import NotSubmitted, SendRefused
from services.media.records import Media, MediaOrigin, PlatformMedia
from services.media.repository import MediaRepository
from services.media.sending import MediaForSending
from services.media.service import MediaService, NoSuchMedia, OpenMedia
from tests.doubles.clock import START, ManualClock

NUMBER = "106540352242922"


def media(**more: Any) -> Media:
    facts = {"phone_number_id": NUMBER, "origin": MediaOrigin.UPLOAD, "mime_type": "image/png", "kind": "image"}
    times = {"created_at": START, "expires_at": START + timedelta(days=30)}
    return Media(**{"id": "123", **facts, **times, **more})


@dataclass
class Opened:
    size_bytes: int = 3

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"abc"


@dataclass
class Shelf:
    """A library and its repository."""

    held: dict[str, Media] = field(default_factory=lambda: {"123": media()})
    remembered: list[tuple[str, str, str]] = field(default_factory=list)
    trouble: Exception | None = None

    async def get(self, media_id: str, *, with_deleted: bool = False) -> Media:
        assert with_deleted, "a message that was accepted takes its file along, whatever a client did since"
        if media_id not in self.held:
            raise NoSuchMedia()
        return self.held[media_id]

    async def open(self, _: Media) -> OpenMedia:
        if self.trouble is not None:
            raise self.trouble
        return cast(OpenMedia, Opened())

    async def remember(self, media_id: str, number: str, platform: PlatformMedia) -> None:
        self.remembered.append((media_id, number, platform.id))


@dataclass
class Platform:
    """The Graph API's side of an upload."""

    uploads: list[dict[str, Any]] = field(default_factory=list)
    trouble: Exception | None = None
    media: Any = None

    def __post_init__(self) -> None:
        self.media = self

    def token_of(self, number: str) -> str:
        return f"token-{number}"

    async def upload(self, number: str, token: str, **facts: Any) -> str:
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        self.uploads.append({"number": number, "token": token, **facts})
        return f"9{len(self.uploads)}"


@dataclass
class World:
    shelf: Shelf = field(default_factory=Shelf)
    platform: Platform = field(default_factory=Platform)
    clock: ManualClock = field(default_factory=ManualClock)

    def sending(self) -> MediaForSending:
        return MediaForSending(
            cast(MediaService, self.shelf),
            cast(MediaRepository, self.shelf),
            cast(GraphAccess, self.platform),
            self.clock,
        )


def image(media_id: str) -> dict[str, Any]:
    return {"type": "image", "image": {"id": media_id, "caption": "c"}}


async def test_many_messages_at_once_upload_it_once() -> None:
    world = World()
    sending = world.sending()
    found = await asyncio.gather(*(sending.prepared(NUMBER, image("123")) for _ in range(50)))
    assert {payload["image"]["id"] for payload in found} == {"91"}
    assert [upload["token"] for upload in world.platform.uploads] == [f"token-{NUMBER}"]
    assert world.shelf.remembered == [("123", NUMBER, "91")]


async def test_each_number_has_an_upload_of_its_own() -> None:
    world = World()
    sending = world.sending()
    assert (await sending.prepared("1", image("123")))["image"]["id"] == "91"
    assert (await sending.prepared("2", image("123")))["image"]["id"] == "92"


async def test_what_an_earlier_owner_uploaded_is_used_until_it_ends() -> None:
    world = World()
    ends_at = START + timedelta(days=1)
    world.shelf.held["123"] = media(platform={NUMBER: PlatformMedia("77", ends_at)})
    assert (await world.sending().prepared(NUMBER, image("123")))["image"]["id"] == "77"
    world.clock.at = ends_at - timedelta(minutes=30)
    assert (await world.sending().prepared(NUMBER, image("123")))["image"]["id"] == "91"


async def test_links_and_text_leave_as_they_are() -> None:
    world = World()
    link = {"type": "image", "image": {"link": "https://example.com/a.png"}}
    assert await world.sending().prepared(NUMBER, link) == link
    text = {"type": "text", "text": {"body": "x"}}
    assert await world.sending().prepared(NUMBER, text) == text
    assert world.platform.uploads == []


async def test_a_file_that_is_gone_fails_the_message() -> None:
    with pytest.raises(SendRefused) as refused:
        await World().sending().prepared(NUMBER, image("456"))
    assert refused.value.rule.code == 131053
    assert not refused.value.may_retry


async def test_what_whatsapp_refuses_keeps_its_code() -> None:
    world = World()
    world.platform.trouble = GraphRefused(classify(100), http_status=400, title="Invalid parameter", details="too big")
    with pytest.raises(SendRefused) as refused:
        await world.sending().prepared(NUMBER, image("123"))
    assert (refused.value.rule.code, refused.value.details) == (100, "too big")


@pytest.mark.parametrize("error", [GraphUnknown(), Unavailable()])
async def test_what_may_pass_has_not_left(error: Exception) -> None:
    world = World()
    world.platform.trouble = error
    with pytest.raises(NotSubmitted):
        await world.sending().prepared(NUMBER, image("123"))
    world.platform.trouble = None
    world.shelf.trouble = error
    with pytest.raises(NotSubmitted):
        await world.sending().prepared(NUMBER, image("123"))


async def test_an_upload_that_cannot_be_written_fails_the_message_and_is_no_doubt() -> None:
    world = World()
    world.platform.trouble = GraphUnsendable(detail="the header Content-Type of a part has a character")
    with pytest.raises(SendRefused) as refused:
        await world.sending().prepared(NUMBER, image("123"))
    assert (refused.value.rule.code, refused.value.may_retry) == (131053, False)
