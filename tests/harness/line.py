"""A line to the database that a test can slow down, cut once, let fall silent, or let run over its quota; it counts."""

import asyncio
import contextlib
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bson import encode

from benchmarks.atlas_m0 import HEADER, OP_MSG, read_command


class Line:
    """Passes bytes on. `delay_s` is added to everything that goes to the server; `is_silent` holds all of it back.

    `renames` puts other bytes of the same length into what the server answers, for an answer that comes in one piece.
    `seen`: when `watched` went to the server (time.monotonic), for requests that come in one piece.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.delay_s = 0.0
        self.is_silent = False
        self.watched = b""
        self.renames: tuple[bytes, bytes] | None = None
        self.seen: list[float] = []
        self.open = 0
        self.peak = 0
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true&retryWrites=false"

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def cut(self) -> int:
        """Close every connection now; new ones are taken. How many there were."""
        return asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> int:
        count = self.open
        for writer in list(self._writers):
            writer.transport.abort()
        return count

    async def _end(self) -> None:
        self._server.close()
        await self._cut()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.peak = max(self.peak, self.open)
        self._writers.add(writer)
        upstream: asyncio.StreamWriter | None = None
        try:
            answers, upstream = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers.add(upstream)
            ways = [
                asyncio.ensure_future(self._pass_requests(reader, upstream, writer)),
                asyncio.ensure_future(self._pass_on(answers, writer, is_request=False)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        finally:
            self.open -= 1
            for end in (writer, upstream):
                if end is not None:
                    self._writers.discard(end)
                    end.close()

    async def _pass_requests(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, _back: asyncio.StreamWriter
    ) -> None:
        await self._pass_on(reader, upstream, is_request=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_request: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(2**16):
                await self._hold_back(is_request=is_request)
                if is_request and self.watched and self.watched in data:
                    self.seen.append(time.monotonic())
                if not is_request and self.renames:
                    data = data.replace(*self.renames)
                writer.write(data)
                await writer.drain()

    async def _hold_back(self, *, is_request: bool) -> None:
        if is_request and self.delay_s:
            await asyncio.sleep(self.delay_s)
        while self.is_silent:  # noqa: ASYNC110 - another thread decides
            await asyncio.sleep(0.05)


class QuotaLine(Line):
    """A server over its quota: while `refuses` names a command, it is answered as Atlas does.

    `counts` of every command that was passed on, by name, and of the refused ones under `refused`. After `room_after`
    deletes that were passed on there is space again.
    """

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port)
        self.refuses: frozenset[str] = frozenset()
        self.counts: Counter[str] = Counter()
        self.room_after = 0

    async def _pass_requests(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                header = await reader.readexactly(HEADER.size)
                length, request_id, _, opcode = HEADER.unpack(header)
                body = await reader.readexactly(length - HEADER.size)
                await self._hold_back(is_request=True)
                name = read_command(opcode, body).name
                if name in self.refuses:
                    self.counts["refused"] += 1
                    back.write(_refusal(request_id))
                    continue
                self.counts[name] += 1
                upstream.write(header + body)
                await upstream.drain()
                if name == "delete" and self.refuses:
                    self.room_after -= 1
                    if self.room_after <= 0:
                        self.refuses = frozenset()


def _refusal(request_id: int) -> bytes:
    """OP_MSG with what Atlas says when a free cluster is over its 512 MB."""
    fault = {
        "ok": 0.0,
        "code": 8000,
        "codeName": "AtlasError",
        "errmsg": "you are over your space quota, using 513 MB of 512 MB",
    }
    body = struct.pack("<IB", 0, 0) + encode(fault)
    return HEADER.pack(HEADER.size + len(body), 0, request_id, OP_MSG) + body


@contextmanager
def quota_line_to(target_port: int) -> Iterator[QuotaLine]:
    """The same with a quota."""
    line = QuotaLine(target_port)
    line.start()
    try:
        yield line
    finally:
        line.stop()


@contextmanager
def elsewhere(target_port: int) -> Iterator[Line]:
    """A line by which the embedded server looks like a MongoDB elsewhere: so it is asked as that is asked."""
    with line_to(target_port) as line:
        line.renames = b"setName\0\x09\0\0\0secantus\0", b"setName\0\x09\0\0\0atlas-rs\0"
        yield line


@contextmanager
def line_to(target_port: int) -> Iterator[Line]:
    """A line to a server on this port of loopback."""
    line = Line(target_port)
    line.start()
    try:
        yield line
    finally:
        line.stop()
