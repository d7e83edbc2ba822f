"""Messages on disk: what the business sent and what customers wrote, and how far each came.

Process: sandbox.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from config.clock import rfc3339
from services.sandbox.wire.shapes import Json
from services.sandbox.world.storage import Storage

RECEIVED = "in"
"""The phone received it from the business."""
WRITTEN = "out"
"""The person wrote it to the business."""

KEPT = 1_000_000
"""Messages, and calls, that stay on disk: about 1 kB each."""
PRUNE_EVERY = 50_000
ON_THE_PHONE = ("delivered", "read", "played")
_INSERT = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_COLUMNS = "phone, number, wamid, at, direction, type, status, waits, body, facts"


@dataclass(frozen=True, slots=True)
class Facts:
    """What later statuses of a message need to know."""

    biz: str | None = None
    category: str = "service"
    is_billable: bool = False
    extra_copies: int = 0
    shuffles: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message. A customer's message has the status `received`. `waits`: accepted, not taken by its phone yet."""

    phone: str
    number: str
    wamid: str
    at: float
    direction: str
    type: str
    status: str
    waits: bool
    body: Json
    facts: Facts


class Messages:
    """`n` counts every message ever, in both directions; it makes the wamid, so it never runs back before a reset."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._last_n = 0

    def load(self) -> None:
        self._last_n = self._storage.rows("SELECT coalesce(max(n), 0) FROM messages")[0][0]

    def next_n(self) -> int:
        self._last_n += 1
        return self._last_n

    def keep(self, n: int, message: Message) -> None:
        facts = orjson.dumps(message.facts) if message.direction == RECEIVED else None
        values = (
            n,
            message.phone,
            message.number,
            message.wamid,
            message.at,
            message.direction,
            message.type,
            message.status,
            int(message.waits),
            orjson.dumps(message.body),
            facts,
        )
        self._storage.add(_INSERT, values)
        if n % PRUNE_EVERY == 0:
            self._storage.add("DELETE FROM messages WHERE n <= ?", (n - KEPT,))

    def move(self, wamid: str, status: str, *, waits: bool = False) -> None:
        self._storage.add("UPDATE messages SET status = ?, waits = ? WHERE wamid = ?", (status, int(waits), wamid))

    def mark_seen(self, message: Message) -> None:
        """The business read this message of a customer, and all before it in the conversation."""
        sql = (
            "UPDATE messages SET status = 'seen' WHERE phone = ? AND number = ? AND direction = 'out' AND "
            "n <= (SELECT n FROM messages WHERE wamid = ?)"
        )
        self._storage.add(sql, (message.phone, message.number, message.wamid))

    def get(self, wamid: str) -> Message | None:
        found = self._select("wamid = ?", (wamid,))
        return found[0] if found else None

    def waiting(self, phone: str) -> list[Message]:
        """Accepted for this phone and not taken by it yet, oldest first."""
        return self._select("phone = ? AND waits = 1 ORDER BY n", (phone,))

    def unread(self, phone: str) -> list[Message]:
        """On the phone, and not read, oldest first."""
        return self._select("phone = ? AND direction = 'in' AND status = 'delivered' ORDER BY n", (phone,))

    def last_written_at(self, phone: str, number: str) -> float | None:
        """When this person last wrote to this number, Unix seconds."""
        sql = "SELECT max(at) FROM messages WHERE phone = ? AND number = ? AND direction = 'out'"
        at: float | None = self._storage.rows(sql, (phone, number))[0][0]
        return at

    def listed(
        self, phone: str, *, with_waiting: bool, limit: int, numbers: frozenset[str] | None = None
    ) -> list[Json]:
        """What the phone has, oldest first: received ones once they are delivered, and written ones.

        ``numbers``: only what it has from and for these of the business.
        """
        where = "phone = ?" + _among(numbers)
        values: list[Any] = [phone, *(numbers or ())]
        if not with_waiting:
            where += f" AND (direction = 'out' OR status IN {ON_THE_PHONE})"
        found = self._select(f"{where} ORDER BY n LIMIT ?", (*values, limit))
        return [shown(message) for message in found]

    def counts(self, numbers: frozenset[str] | None = None) -> list[Json]:
        """How many messages each phone has had, by phone; ``numbers``: from and for these of the business."""
        sql = "SELECT phone, sum(direction = 'in'), sum(direction = 'out') FROM messages WHERE 1"
        sql += f"{_among(numbers)} GROUP BY phone ORDER BY min(n)"
        rows = self._storage.rows(sql, tuple(numbers or ()))
        return [{"wa_id": row[0], "received": row[1], "written": row[2]} for row in rows]

    def numbers_of(self, phone: str) -> frozenset[str]:
        """The numbers of the business with which this phone has messages."""
        rows = self._storage.rows("SELECT DISTINCT number FROM messages WHERE phone = ?", (phone,))
        return frozenset(row[0] for row in rows)

    def _select(self, where: str, values: Sequence[Any]) -> list[Message]:
        rows = self._storage.rows(f"SELECT {_COLUMNS} FROM messages WHERE {where}", values)  # noqa: S608 - our own text
        return [_message(row) for row in rows]


def _among(numbers: frozenset[str] | None) -> str:
    return "" if numbers is None else f" AND number IN ({', '.join('?' * len(numbers))})"


def _message(row: Sequence[Any]) -> Message:
    phone, number, wamid, at, direction, kind, status, waits, body, facts = row
    return Message(
        phone=phone,
        number=number,
        wamid=wamid,
        at=at,
        direction=direction,
        type=kind,
        status=status,
        waits=bool(waits),
        body=orjson.loads(body),
        facts=Facts(**orjson.loads(facts)) if facts is not None else Facts(),
    )


def shown(message: Message) -> Json:
    """A message as the control API shows it."""
    entry: Json = {
        "wamid": message.wamid,
        "at": time_text(message.at),
        "direction": message.direction,
        "type": message.type,
        "status": message.status,
        "phone_number_id": message.number,
        **message.body,
    }
    if message.facts.biz is not None:
        entry["biz_opaque_callback_data"] = message.facts.biz
    return entry


def time_text(at: float) -> str:
    """Unix seconds as the control API writes them."""
    return rfc3339(datetime.fromtimestamp(at, UTC))
