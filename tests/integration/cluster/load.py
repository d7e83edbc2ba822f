"""Steady POST traffic from outside. POST, because clients repeat a GET on a broken connection and so hide the loss."""

import asyncio
from dataclasses import dataclass, field

import aiohttp


@dataclass
class Load:
    """What the clients saw."""

    answered: int = 0
    failures: list[str] = field(default_factory=list)
    _warm: asyncio.Event = field(default_factory=asyncio.Event)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, url: str, *, clients: int, keep_alive: bool, pause_s: float = 0.005) -> None:
        self._tasks = [asyncio.create_task(self._client(url, keep_alive, pause_s)) for _ in range(clients)]
        await self._warm.wait()

    async def stop(self) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _client(self, url: str, keep_alive: bool, pause_s: float) -> None:
        connector = aiohttp.TCPConnector(force_close=not keep_alive, limit=1)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(10)) as session:
            while not self._stop.is_set():
                try:
                    async with session.post(f"{url}/echo", data=b"x" * 100) as response:
                        if response.status == 200 and (await response.json())["size"] == 100:
                            self.answered += 1
                            self._warm.set()
                        else:
                            self.failures.append(f"HTTP {response.status}")
                except (aiohttp.ClientError, TimeoutError) as error:
                    self.failures.append(repr(error))
                await asyncio.sleep(pause_s)
