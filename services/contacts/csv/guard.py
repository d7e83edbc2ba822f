"""Cells that a spreadsheet would take for formulas: an apostrophe in front makes them text. Reading takes it off again.

Process: worker.

A Spanish Excel splits at semicolons and knows nothing of our quotes, so that every part of a cell behind a separator
can become a cell of its own.
Source: OWASP, "CSV Injection".
"""

import re
from typing import Final

_STARTS: Final = (
    "=+@\\-\u2212\u207a\u207b\u207c\u208a\u208b\u208c\u2a75\u2a76\ufb29"
    "\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20\t\r"
)
"""The formula signs with their full-width, small and raised forms; tab and carriage return, which are skipped."""
_SEPARATORS: Final = ";,\t\r\n"
_SKIPPED: Final = "'\" \u00a0\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
"""Blanks, quotes and characters without width: what stands between a separator and a sign and does not help."""

_FORMULA: Final = re.compile(f"(^|[{_SEPARATORS}])(?=[{_SKIPPED}]*+[{_STARTS}])")
_GUARDED: Final = re.compile(f"(^|[{_SEPARATORS}])'(?=[{_SKIPPED}]*+[{_STARTS}])")


def guarded(text: str) -> str:
    """The text for a cell. ``plain`` gives the same text back, whatever it is."""
    return _FORMULA.sub(r"\1'", text)


def plain(cell: str) -> str:
    """The text that a cell stands for."""
    return _GUARDED.sub(r"\1", cell)
