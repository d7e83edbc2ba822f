"""CSV as it arrives: bytes in, records out, never more of it in memory than one record and one chunk.

Process: worker.
"""

import codecs
import csv
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from config.errors import Fault, RequestRefused

MAX_RECORD_CHARS: Final = 65_536
DELIMITERS: Final = ",;\t"
_TOO_LONG: Final = f"is longer than {MAX_RECORD_CHARS} characters: is a quote left open?"


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """One record by column name. ``line`` is where it begins, 1 for the header. ``reason`` says why it is no record."""

    line: int
    cells: dict[str, str]
    reason: str | None = None


class CsvReader:
    """Reads records with a header. The delimiter is comma, semicolon or tab, whichever the header has most of.

    UTF-8, with or without BOM. A line break inside quotes belongs to its cell. Raises ``RequestRefused`` for what makes
    the rest unreadable.
    """

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._scanned = 0
        self._is_quoted = False
        self._line = 1
        self._delimiter = ","
        self.header: list[str] | None = None

    def feed(self, data: bytes, *, is_last: bool = False) -> Iterator[CsvRecord]:
        """Records that these bytes complete; with ``is_last`` the one that has no line break, too."""
        try:
            self._text += self._decoder.decode(data, is_last)
        except UnicodeDecodeError as error:
            raise _unreadable(self._line, "is not UTF-8: save the file as CSV UTF-8") from error
        for text in self._complete(is_last=is_last):
            begins, self._line = self._line, self._line + max(1, text.count("\n"))
            if len(text) > MAX_RECORD_CHARS:
                raise _unreadable(begins, _TOO_LONG)
            if text.strip():
                record = self._record(text, begins)
                if record is not None:
                    yield record

    def _complete(self, *, is_last: bool) -> Iterator[str]:
        """The texts up to each line break outside quotes; what is left over stays for the next bytes."""
        start = 0
        while (at := self._text.find("\n", self._scanned)) >= 0:
            self._is_quoted ^= self._text.count('"', self._scanned, at) % 2 == 1
            self._scanned = at + 1
            if not self._is_quoted:
                yield self._text[start : at + 1]
                start = at + 1
        self._is_quoted ^= self._text.count('"', self._scanned) % 2 == 1
        self._text = self._text[start:]
        self._scanned = len(self._text)
        if self._scanned > MAX_RECORD_CHARS:
            raise _unreadable(self._line, _TOO_LONG)
        if is_last and self._text:
            if self._is_quoted:
                raise _unreadable(self._line, "opens a quote that nothing closes")
            yield self._text

    def _record(self, text: str, line: int) -> CsvRecord | None:
        if self.header is None:
            self._delimiter = max(DELIMITERS, key=text.count)
            self.header = [name.strip().lower() for name in self._cells(text, line)]
            if len(set(self.header)) != len(self.header) or "" in self.header:
                raise _unreadable(line, "is the header: each column needs a name of its own")
            return None
        cells = self._cells(text, line)
        if len(cells) > len(self.header):
            return CsvRecord(line, {}, f"has {len(cells)} cells, the header has {len(self.header)}")
        return CsvRecord(line, dict(zip_longest(self.header, (cell.strip() for cell in cells), fillvalue="")))

    def _cells(self, text: str, line: int) -> list[str]:
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            raise _unreadable(line, f"is not CSV: {error}") from error


async def records_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[CsvRecord]:
    """Every record of a stream of bytes."""
    reader = CsvReader()
    async for chunk in chunks:
        for record in reader.feed(chunk):
            yield record
    for record in reader.feed(b"", is_last=True):
        yield record
    if reader.header is None:
        raise RequestRefused("The file is empty.", code="invalid_csv", faults=[Fault("line 1", "must be the header")])


def _unreadable(line: int, reason: str) -> RequestRefused:
    text = f"The file cannot be read from line {line} on."
    return RequestRefused(text, code="invalid_csv", faults=[Fault(f"line {line}", reason)])
