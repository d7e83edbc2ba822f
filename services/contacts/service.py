"""Many contacts in from CSV and out to CSV, a few hundred at a time.

Process: worker.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from config.clock import Clock
from config.errors import Fault, PanalError, RequestRefused
from services.commands import CommandClient
from services.contacts.csv.records import records_of
from services.contacts.csv.rows import EXPORT_COLUMNS, csv_line, export_line, import_row, unknown_columns
from services.contacts.documents import contact_record
from services.contacts.repository import ContactFilter, ContactRepository

ROWS_PER_COMMAND: Final = 200
MAX_ERRORS: Final = 1_000


@dataclass(slots=True)
class ImportReport:
    """What became of a file. ``errors`` holds the first of them; ``failed`` counts all lines that were not taken."""

    lines: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    consents: int = 0
    failed: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, line: int, reasons: list[str]) -> None:
        """One line that was not taken."""
        self.failed += 1
        for reason in reasons:
            if len(self.errors) < MAX_ERRORS:
                self.errors.append({"line": line, "reason": reason})


class ContactService:
    """Import and export."""

    def __init__(self, repository: ContactRepository, commands: CommandClient, clock: Clock) -> None:
        """``commands`` should wait longer than for a person: one carries some hundred contacts."""
        self._repository = repository
        self._commands = commands
        self._clock = clock

    async def import_csv(
        self, chunks: AsyncIterator[bytes], *, number: str, by: str, numbers: frozenset[str] = frozenset()
    ) -> ImportReport:
        """Take a file, as fast as the owner keeps up. Lines with faults are left out and told; taking it twice is safe.

        ``numbers``: for a key that is limited to these.
        Raises ``RequestRefused`` for an unreadable file, ``Unavailable``; the text says how far it came.
        """
        report, place = ImportReport(), {"number": number, "numbers": sorted(numbers)}
        rows: list[dict[str, Any]] = []
        try:
            async for record in records_of(chunks):
                if not report.lines and (unknown := unknown_columns(record.cells)):
                    faults = [Fault(name, "is neither a column of ours nor an attribute name") for name in unknown]
                    raise RequestRefused("The header is not valid.", code="invalid_csv", faults=faults)
                report.lines += 1
                row, reasons = (None, [record.reason]) if record.reason else import_row(record, self._clock.now())
                if row is None:
                    report.refuse(record.line, reasons)
                    continue
                rows.append(row)
                if len(rows) == ROWS_PER_COMMAND:
                    await self._submit(rows, report, place, by=by)
                    rows = []
            if rows:
                await self._submit(rows, report, place, by=by)
        except PanalError as error:
            taken = report.created + report.updated + report.unchanged
            error.text = f"{error.text} {taken} lines were taken before; the same file may be sent again."
            raise
        return report

    async def export_csv(self, wanted: ContactFilter) -> AsyncIterator[str]:
        """All contacts that fit, oldest first, as pieces of a CSV file, with consent and proof."""
        yield csv_line(EXPORT_COLUMNS)
        walk = self._repository.walk(wanted)
        while found := await walk.next():
            yield "".join(export_line(contact_record(document, wanted.numbers)) for document in found)

    async def _submit(
        self, rows: list[dict[str, Any]], report: ImportReport, place: Mapping[str, Any], *, by: str
    ) -> None:
        result = await self._commands.submit("contact.import", {"rows": rows, **place}, by=by)
        report.created += result["created"]
        report.updated += result["updated"]
        report.consents += result["consents"]
        for error in result["errors"]:
            report.refuse(error["line"], [f"{error['path']} {error['reason']}"])
        report.unchanged += len(rows) - result["created"] - result["updated"] - len(result["errors"])
