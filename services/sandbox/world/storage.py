"""The storage: one SQLite file that outlives kill -9, written in groups so that many answers share one commit.

Process: sandbox.

Writes wait for the end of the current round of the event loop and go to disk in one transaction; `settled` is how a
handler waits for its own. A commit is a write to the kernel, not an fsync: it survives the death of this process at any
moment, and not the death of the machine, which an emulator need not.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

log = logging.getLogger("panal.sandbox")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (n INTEGER PRIMARY KEY, line BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    n INTEGER PRIMARY KEY, phone TEXT NOT NULL, number TEXT NOT NULL, wamid TEXT NOT NULL UNIQUE, at REAL NOT NULL,
    direction TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL, waits INTEGER NOT NULL, body BLOB NOT NULL,
    facts BLOB);
CREATE INDEX IF NOT EXISTS messages_of_phone ON messages (phone, n);
CREATE TABLE IF NOT EXISTS steps (
    id INTEGER PRIMARY KEY, due_at REAL NOT NULL, wamid TEXT NOT NULL, step TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hooks (
    id INTEGER PRIMARY KEY, lane TEXT NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL, made_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS things (
    n INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (kind, id));
"""
TABLES = ("calls", "messages", "steps", "hooks", "things")


class Storage:
    """Owns the connection. Only the event loop's thread may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pending: list[tuple[str, Sequence[Any]]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._is_scheduled = False
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Make the folder and the tables. OSError or sqlite3.Error when the disk does not let us."""
        self._folder.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._folder / "journal.sqlite3", isolation_level=None, timeout=2.0)
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=OFF")
        db.execute("PRAGMA cache_size=-16000")
        db.executescript(_SCHEMA)
        self._db = db

    def close(self) -> None:
        """Write what is pending and let go of the file. Idempotent."""
        if self._db is None:
            return
        self.flush()
        self._db.close()
        self._db = None

    def add(self, sql: str, values: Sequence[Any] = ()) -> None:
        """A write for the next commit."""
        self._pending.append((sql, values))
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush_round)

    def settled(self) -> asyncio.Future[None]:
        """Done when everything added until now is on disk."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._pending:
            self._waiting.append(future)
        else:
            future.set_result(None)
        return future

    def flush(self) -> None:
        """Commit what is pending, now. Those who wait get the error if it fails."""
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        waiting, self._waiting = self._waiting, []
        try:
            self._commit(pending)
        except sqlite3.Error as error:
            log.error("the storage refused a commit", extra={"action": "journal.failed", "error": str(error)})
            for future in waiting:
                if not future.done():
                    future.set_exception(error)
            if not waiting:
                raise
            return
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Answer of a query, which sees everything added before."""
        self.flush()
        return self._connection().execute(sql, values).fetchall()

    def clear(self) -> None:
        """Forget everything."""
        self.flush()
        for table in TABLES:
            self.add(f"DELETE FROM {table}")  # noqa: S608 - names from the constant above
        self.flush()

    def _flush_round(self) -> None:
        self._is_scheduled = False
        self.flush()

    def _commit(self, pending: list[tuple[str, Sequence[Any]]]) -> None:
        db = self._connection()
        execute = db.execute
        execute("BEGIN")
        try:
            for sql, values in pending:
                execute(sql, values)
        except BaseException:
            execute("ROLLBACK")
            raise
        execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise sqlite3.ProgrammingError("the storage is closed")
        return self._db
