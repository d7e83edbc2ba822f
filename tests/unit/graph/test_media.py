"""Media to and from Meta: whole on the wire, streamed here, and the token for Meta's eyes alone."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from services.graph import (
    GraphClient,
    GraphMedia,
    GraphRefused,
    GraphUnknown,
    GraphUnreachable,
    GraphUnsendable,
    MediaInfo,
)
from tests.doubles.raw_server import RawServer, Visit

NUMBER = "106540352242922"
INFO = (
    b'{"messaging_product":"whatsapp","url":"https://lookaside.fbsbx.com/x","mime_type":"image/png",'
    b'"sha256":"ab","file_size":"303833","id":"7"}'
)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def media(session: aiohttp.ClientSession, url: str) -> GraphMedia:
    graph = GraphClient(session, base_url=url, version="v23.0", timeout_s=5)
    return GraphMedia(graph, session, graph_base_url=url)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def answers(body: bytes, *, status: bytes = b"200 OK") -> object:
    def behaviour(visit: Visit) -> None:
        while visit.read_request():
            visit.answer(body, status=status)

    return behaviour


async def upload(client: GraphMedia, *parts: bytes, size_bytes: int) -> str:
    return await client.upload(
        NUMBER, "token", content=pieces(*parts), size_bytes=size_bytes, mime_type="image/png", filename="a b.png"
    )


async def test_an_upload_is_one_multipart_body_of_known_length(session: aiohttp.ClientSession) -> None:
    with RawServer(answers(b'{"id":"1037543291543636"}')) as server:
        assert await upload(media(session, server.url), b"\x89PNG", b"data", size_bytes=8) == "1037543291543636"
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v23.0/106540352242922/media HTTP/1.1\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert b'name="messaging_product"\r\n' in body
    assert b"\r\n\r\nwhatsapp\r\n" in body
    assert b"Content-Type: image/png\r\n" in body
    assert b'name="file"' in body
    assert b'filename="a%20b.png"' in body
    assert b"\r\n\r\n\x89PNGdata\r\n" in body


@pytest.mark.parametrize("size_bytes", [7, 9])
async def test_a_source_of_another_length_than_announced_breaks_the_upload(
    session: aiohttp.ClientSession, size_bytes: int
) -> None:
    with RawServer(answers(b'{"id":"1"}')) as server:
        with pytest.raises((GraphUnknown, GraphUnreachable)):
            await upload(media(session, server.url), b"\x89PNG", b"data", size_bytes=size_bytes)
        assert server.requests == []


async def test_the_place_of_a_media_object_is_read(session: aiohttp.ClientSession) -> None:
    with RawServer(answers(INFO)) as server:
        info = await media(session, server.url).info("7", "token", phone_number_id=NUMBER)
    assert info == MediaInfo("7", "https://lookaside.fbsbx.com/x", "image/png", "ab", 303833)
    assert server.requests[0].startswith(b"GET /v23.0/7?phone_number_id=106540352242922 HTTP/1.1\r\n")


async def test_a_download_is_streamed_with_our_token(session: aiohttp.ClientSession) -> None:
    with RawServer(answers(b"x" * 200_000)) as server:
        async with media(session, server.url).download(f"{server.url}/file", "token") as download:
            sizes = [len(chunk) async for chunk in download.chunks]
    assert (download.size_bytes, sum(sizes)) == (200_000, 200_000)
    assert max(sizes) <= 64 * 1024
    assert b"Authorization: Bearer token" in server.requests[0]


async def test_another_host_never_sees_our_token(session: aiohttp.ClientSession) -> None:
    with RawServer(answers(b"x")) as server:
        elsewhere = server.url.replace("127.0.0.1", "localhost")
        client = GraphMedia(
            GraphClient(session, base_url=server.url, version="v23.0", timeout_s=5), session, graph_base_url=server.url
        )
        async with client.download(f"{elsewhere}/file", "token") as download:
            assert b"".join([chunk async for chunk in download.chunks]) == b"x"
    assert b"uthorization" not in server.requests[0]


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://lookaside.fbsbx.com/x", True),
        ("https://scontent.whatsapp.net/x", True),
        ("https://evil-fbsbx.com/x", False),
        ("https://fbsbx.com.evil.example/x", False),
        ("https://user@evil.example/fbsbx.com", False),
        ("not a url", False),
    ],
)
async def test_the_hosts_of_meta_are_known_by_their_whole_name(
    session: aiohttp.ClientSession, url: str, may: bool
) -> None:
    assert media(session, "https://graph.facebook.com")._may_see_the_token(url) is may


@pytest.mark.parametrize("status", [b"404 Not Found", b"302 Found", b"500 Oh"])
async def test_a_download_that_is_answered_with_anything_but_200_is_refused(
    session: aiohttp.ClientSession, status: bytes
) -> None:
    with RawServer(answers(b"", status=status)) as server, pytest.raises(GraphRefused):
        async with media(session, server.url).download(f"{server.url}/file", "token"):
            pass


async def test_a_download_that_breaks_off_is_unreachable(session: aiohttp.ClientSession) -> None:
    def breaks_off(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 500\r\n\r\nabc")

    with RawServer(breaks_off) as server:
        async with media(session, server.url).download(f"{server.url}/file", "token") as download:
            with pytest.raises(GraphUnreachable):
                [chunk async for chunk in download.chunks]


@pytest.mark.parametrize("mime_type", ["image/png\r\nX: y", "image/png\n", "image/png\0", "a\x1b/b", "\ud800/png"])
async def test_a_type_that_cannot_be_written_leaves_nothing_on_the_wire(
    session: aiohttp.ClientSession, mime_type: str
) -> None:
    with RawServer(answers(b'{"id":"1"}')) as server:
        with pytest.raises(GraphUnsendable) as caught:
            await media(session, server.url).upload(
                NUMBER, "token", content=pieces(b"abc"), size_bytes=3, mime_type=mime_type, filename="a"
            )
        assert (server.connection_count, caught.value.may_retry) == (0, False)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:99999", "http://[", "http://a..b", "nonsense"])
async def test_an_upload_to_no_address_has_not_left(session: aiohttp.ClientSession, base_url: str) -> None:
    with pytest.raises(GraphUnreachable):
        await GraphMedia(
            GraphClient(session, base_url=base_url, version="v23.0", timeout_s=5), session, graph_base_url="http://a"
        ).upload(NUMBER, "token", content=pieces(b"abc"), size_bytes=3, mime_type="image/png", filename="a")


async def test_an_upload_that_breaks_on_the_way_is_unknown(session: aiohttp.ClientSession) -> None:
    def hangs_up(visit: Visit) -> None:
        visit.read_request()

    with RawServer(hangs_up) as server, pytest.raises(GraphUnknown):
        await upload(media(session, server.url), b"\x89PNG", b"data", size_bytes=8)
