"""No cell of an export is a formula, however a spreadsheet splits the line; and reading gives back what was written."""

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contacts.csv.guard import guarded, plain
from services.contacts.csv.rows import csv_line

SIGNS = ("=", "+", "-", "@")
BLANKS = " \u00a0\u3000\u200b\ufeff"
ODD = st.text("=+-@\uff1d\uff0b\uff0d\uff20'\";,\t\r\n aZ1" + BLANKS, max_size=12)

FORMULAS = (
    "=1+1",
    ";=HYPERLINK(1)",
    "Ana;=HYPERLINK(1)",
    "Ana; =1",
    ';"=1"',
    ";;=1",
    ",=1",
    "a\t=1",
    "a\n=1",
    "a\r\n@x",
    "\uff1d1+1",
    ";\uff1d1",
    ";\uff0b1",
    "\uff20x",
    "\ufe66 1",
    "  =1",
    "\u00a0=1",
    "\u200b=1",
    "\ufeff=1",
    "\t=1",
    "\r=1",
    "-1",
    "+1 650",
    "@SUM(1)",
    ";\t\r =1",
)


def is_formula(cell: str) -> bool:
    """As the most obliging spreadsheet sees it: quotes and blanks before the sign are not looked at."""
    return unicodedata.normalize("NFKC", cell.lstrip('"\t\r\n' + BLANKS))[:1] in SIGNS


def cells(line: str) -> list[str]:
    """The cells that a line becomes: read as CSV with either separator, and split without regard for quotes."""
    found = []
    for delimiter in ",;\t":
        found += [cell for row in csv.reader(io.StringIO(line, newline=""), delimiter=delimiter) for cell in row]
        found += [part for row in line.splitlines() for part in row.split(delimiter)]
    return found


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_a_text_however_the_line_is_split(text: str) -> None:
    line = csv_line(["con_1", guarded(text), "end"])
    assert [cell for cell in cells(line) if is_formula(cell)] == []
    assert plain(guarded(text)) == text


@given(ODD)
def test_no_text_becomes_a_formula_and_every_text_comes_back(text: str) -> None:
    assert plain(guarded(text)) == text
    assert [cell for cell in cells(csv_line(["con_1", guarded(text), "end"])) if is_formula(cell)] == []


@pytest.mark.parametrize("text", ["", "Ana", "Ana - Luisa", "a=b", "it's", "'quoted'", "a; b, c", '{"a":1,"b":"x-y"}'])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text
