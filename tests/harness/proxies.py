"""A reverse proxy as they are in front of services: one request a connection, and what it adds about its caller."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass
class Proxy:
    """Calls ``upstream`` from the address ``own``. ``scheme`` is what its callers speak; ``style`` what it writes."""

    upstream: int
    own: str
    scheme: str
    style: str = "x-forwarded"
    port: int = 0

    def _added(self, head: list[bytes], peer: str) -> list[bytes]:
        """The header with one more hop: lists grow at their end."""
        hop = {"x-forwarded-for": peer, "x-forwarded-proto": self.scheme}
        if self.style == "forwarded":
            hop = {"forwarded": f'for="{peer}:4711";proto={self.scheme}'}
        lines = [line for line in head if not line.lower().startswith(b"connection:")]
        for name, value in hop.items():
            before = [n for n, line in enumerate(lines) if line.lower().startswith(name.encode() + b":")]
            if before:
                lines[before[0]] += f", {value}".encode()
            else:
                lines.append(f"{name}: {value}".encode())
        return [*lines, b"connection: close"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
            back, forth = await asyncio.open_connection("127.0.0.1", self.upstream, local_addr=(self.own, 0))
            forth.write(b"\r\n".join(self._added(head, writer.get_extra_info("peername")[0])) + b"\r\n\r\n")
            copying = [asyncio.create_task(_copy(reader, forth)), asyncio.create_task(_copy(back, writer))]
            await copying[1]
            copying[0].cancel()
            forth.close()
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def serving(proxy: Proxy) -> AsyncIterator[Proxy]:
    """The proxy listens on a port of its own."""
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
