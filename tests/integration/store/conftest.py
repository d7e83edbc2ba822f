"""A real server for this folder, asked as the embedded one and as a MongoDB elsewhere; each test has its database.

The third way is the embedded one by PyMongo's asynchronous client: what leaves Motor must keep what Motor keeps.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from services.store import Database, DatabaseOptions, DatabaseUnavailable
from services.supervisor.embedded_database import command, find_program
from tests.doubles.pymongo_async import PyMongoDatabase
from tests.harness import free_port
from tests.harness.line import elsewhere

BY_PYMONGO = "pymongo-async"
_names = count()

OpenClient = Callable[..., "AsyncIterator[Database]"]


class Server:
    """The server as a process that a test may stop and start again on the same folder and port."""

    def __init__(self, folder: Path) -> None:
        self.port = self.asked_port = free_port()
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.is_by_pymongo = False

    @property
    def uri(self) -> str:
        mark = f"&appName={BY_PYMONGO}" if self.is_by_pymongo else ""
        return f"mongodb://127.0.0.1:{self.asked_port}/?directConnection=true&retryWrites=false{mark}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            command(find_program(), port=self.port, folder=self._folder, cache="64M"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module", params=["embedded", "elsewhere", "embedded-pymongo"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("store") / "db"
    folder.mkdir()
    running = Server(folder)
    running.start()
    with elsewhere(running.port) as line:
        running.is_by_pymongo = request.param == "embedded-pymongo"
        if request.param == "elsewhere":
            running.asked_port = line.port
        yield running
    running.kill()


@pytest.fixture
async def connect(server: Server) -> AsyncIterator[Callable[[], object]]:
    """Open one more client of this test's database: `await connect()`."""
    name = f"test{next(_names)}"

    async def open_one(**options: int) -> Database:
        return await stack.enter_async_context(opened(server.uri, name, options))

    async with AsyncExitStack() as stack:
        yield open_one


@pytest.fixture
async def database(connect: Callable[[], object]) -> Database:
    return await connect()  # type: ignore[no-any-return,misc]


@asynccontextmanager
async def opened(uri: str, name: str, options: dict[str, int]) -> AsyncIterator[Database]:
    limits = {"pool": 10, "wait_queue_ms": 1_000, "connect_ms": 1_000, "select_ms": 1_000} | options
    driver = PyMongoDatabase if BY_PYMONGO in uri else Database
    opened = driver(DatabaseOptions(uri=uri, name=name, app_name="test", **limits))
    async with asyncio.timeout(20):
        while True:
            try:
                await opened.ping()
                break
            except DatabaseUnavailable:
                await asyncio.sleep(0.1)  # after a search that failed, it refuses for a moment without asking
    yield opened
    await opened.close()
