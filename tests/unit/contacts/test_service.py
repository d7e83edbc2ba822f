"""A large file of contacts is taken in parts, no faster than the owner keeps up; what was not taken is told by line."""

from collections.abc import AsyncIterator
from typing import Any, cast

from services.commands import CommandClient
from services.contacts.repository import ContactRepository
from services.contacts.service import MAX_ERRORS, ROWS_PER_COMMAND, ContactService
from tests.doubles.clock import ManualClock

CHUNK = 500
ROWS = 50_000


class Owner:
    """Carries out what is submitted, and looks how far the file was read by then."""

    def __init__(self) -> None:
        self.read = 0
        self.taken = 0
        self.most_ahead = 0
        self.decisions = 0

    async def submit(self, kind: str, data: dict[str, Any], *, by: str) -> dict[str, Any]:
        assert (kind, by) == ("contact.import", "key_1")
        rows = data["rows"]
        assert len(rows) <= ROWS_PER_COMMAND
        self.most_ahead = max(self.most_ahead, self.read - self.taken)
        self.taken += len(rows)
        decided = sum(len(row.get("decisions", ())) for row in rows)
        self.decisions += decided
        faulty = [row["line"] for row in rows if row["line"] == 7]
        refused = [{"line": line, "path": "attributes", "reason": "too many"} for line in faulty]
        return {"created": len(rows) - len(refused), "updated": 0, "consents": decided, "errors": refused}


async def file_of(owner: Owner) -> AsyncIterator[bytes]:
    yield b"to;name;opt_out\n"
    for start in range(0, ROWS, CHUNK):
        lines = []
        for n in range(start, start + CHUNK):
            to = f"1555{n:07d}" if n % 20 else "nobody"
            lines.append(f"{to};Persona {n};{'all' if n % 10 == 1 else ''}\n")
        owner.read += CHUNK
        yield "".join(lines).encode()


async def test_fifty_thousand_rows_are_never_in_memory_together_and_each_fault_has_its_line() -> None:
    owner = Owner()
    transfer = ContactService(cast(ContactRepository, None), cast(CommandClient, owner), ManualClock())
    report = await transfer.import_csv(file_of(owner), number="106540352242922", by="key_1")
    assert report.lines == ROWS
    assert report.failed == ROWS // 20 + 1
    assert report.created == ROWS - report.failed
    assert report.consents == owner.decisions == ROWS // 10
    assert owner.most_ahead <= ROWS // 20 + CHUNK + ROWS_PER_COMMAND, "the faulty rows are counted as read"
    assert len(report.errors) == MAX_ERRORS
    assert report.errors[0]["line"] == 2
    assert {"line": 7, "reason": "attributes too many"} in report.errors
    assert report.errors[1]["line"] == 22
