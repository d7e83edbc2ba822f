"""The connector dials what was checked, whatever the name says the second time, and wherever a redirect points."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientConnectorError, ClientSession
from aiohttp.abc import AbstractResolver, ResolveResult

from services.egress import (
    AddressPolicy,
    AddressRefused,
    GuardedResolver,
    TooManyRedirects,
    UrlRefused,
    guarded_connector,
    open_url,
    refusal_in,
)

STRICT = AddressPolicy(allow_http=True)
DEVELOPMENT = AddressPolicy(allow_private=True, allow_http=True)


class ScriptedResolver(AbstractResolver):
    """Answers from a script, one line a look-up; the last line stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.count = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.count += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


class Sink:
    """Counts connections and answers each request from a script."""

    def __init__(self) -> None:
        self.hits = 0
        self.answers: dict[str, str] = {}
        self.server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self.server is not None
        return int(self.server.sockets[0].getsockname()[1])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits += 1
        line = await reader.readline()
        while (await reader.readline()).strip():
            pass
        path = line.split()[1].decode() if line else "/"
        location = self.answers.get(path)
        head = f"HTTP/1.1 302 Found\r\nlocation: {location}\r\n" if location else "HTTP/1.1 200 OK\r\n"
        writer.write(f"{head}content-length: 2\r\nconnection: close\r\n\r\nok".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    sink = Sink()
    sink.server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    yield sink
    sink.server.close()
    await sink.server.wait_closed()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]"])
async def test_an_address_as_host_is_refused_when_the_socket_is_made(sink: Sink, host: str) -> None:
    async with ClientSession(connector=guarded_connector(STRICT, limit=2)) as session:
        with pytest.raises(ClientConnectorError) as caught:
            await session.get(f"http://{host}:{sink.port}/")
    assert refusal_in(caught.value) is not None
    assert sink.hits == 0


async def test_a_name_that_stands_for_loopback_is_refused(sink: Sink) -> None:
    resolver = ScriptedResolver(["127.0.0.1"])
    async with ClientSession(connector=guarded_connector(STRICT, limit=2, resolver=resolver)) as session:
        with pytest.raises(UrlRefused, match="loopback"):
            async with open_url(session, "POST", f"http://rebind.example:{sink.port}/", STRICT, data=b"x"):
                pass
    assert sink.hits == 0


async def test_a_name_that_changes_its_answer_is_never_looked_up_twice_for_one_connection(sink: Sink) -> None:
    """First a public address, then loopback: the classic rebinding. The public one is dialled, and that is all."""
    resolver = ScriptedResolver(["198.51.100.1", "8.8.8.8"], ["127.0.0.1"])
    connector = guarded_connector(STRICT, limit=2, resolver=resolver)
    dialled: list[str] = []
    factory = connector._socket_factory
    assert factory is not None

    def watched(info: tuple[object, ...]) -> socket.socket:
        dialled.append(info[4][0])  # type: ignore[index]
        raise OSError("not dialled in a test")

    connector._socket_factory = watched  # type: ignore[assignment]
    async with ClientSession(connector=connector) as session:
        with pytest.raises(ClientConnectorError):
            await session.get(f"http://rebind.example:{sink.port}/")
        assert resolver.count == 1
        assert dialled == ["8.8.8.8"]
        connector._socket_factory = factory
        connector.clear_dns_cache()
        with pytest.raises(ClientConnectorError) as caught:
            await session.get(f"http://rebind.example:{sink.port}/")
    assert isinstance(caught.value.os_error, AddressRefused)
    assert sink.hits == 0


async def test_a_redirect_inside_is_refused(sink: Sink) -> None:
    """The first hop is allowed (development); the second leads to the metadata service."""
    sink.answers = {"/": "http://169.254.169.254/latest/", "/file": "file:///etc/passwd", "/loop": "/loop"}
    async with ClientSession(connector=guarded_connector(DEVELOPMENT, limit=2)) as session:
        for path in ("/", "/file"):
            with pytest.raises(UrlRefused):
                async with open_url(
                    session, "GET", f"http://127.0.0.1:{sink.port}{path}", DEVELOPMENT, max_redirects=3
                ):
                    pass
        with pytest.raises(TooManyRedirects):
            async with open_url(session, "GET", f"http://127.0.0.1:{sink.port}/loop", DEVELOPMENT, max_redirects=3):
                pass
        async with open_url(session, "GET", f"http://127.0.0.1:{sink.port}/", DEVELOPMENT) as response:
            assert response.status == 302


@pytest.mark.parametrize("location", ["http://[", "//[", "http://[::1", "http://a..b/", f"http://{'a' * 70}.test/"])
async def test_a_redirect_to_something_that_is_no_url_is_refused(sink: Sink, location: str) -> None:
    sink.answers = {"/": location}
    async with ClientSession(connector=guarded_connector(DEVELOPMENT, limit=2)) as session:
        with pytest.raises(UrlRefused):
            async with open_url(session, "GET", f"http://127.0.0.1:{sink.port}/", DEVELOPMENT, max_redirects=3):
                pass


async def test_a_name_that_its_encoder_refuses_is_one_that_cannot_be_resolved() -> None:
    with pytest.raises(OSError, match="is no name"):
        await GuardedResolver(DEVELOPMENT).resolve(f"{'a' * 70}.test", 80)


async def test_an_allowed_address_is_reached(sink: Sink) -> None:
    resolver = ScriptedResolver(["169.254.169.254", "127.0.0.1"])
    async with (
        ClientSession(connector=guarded_connector(DEVELOPMENT, limit=2, resolver=resolver)) as session,
        open_url(session, "GET", f"http://anything.example:{sink.port}/", DEVELOPMENT) as response,
    ):
        assert await response.text() == "ok"
    assert sink.hits == 1
