from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RequestRefused
from services.contacts import ConsentCategory, ConsentEntry, ConsentStatus, Contact, CsvReader, CsvRecord, csv_line
from services.contacts.csv.rows import EXPORT_COLUMNS, export_line, import_row, unknown_columns

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


def read(data: bytes, *, size: int = 1 << 20) -> list[CsvRecord]:
    reader = CsvReader()
    records = [record for at in range(0, len(data), size) for record in reader.feed(data[at : at + size])]
    return [*records, *reader.feed(b"", is_last=True)]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12).map(str.strip)


@given(rows=st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=6), size=st.integers(1, 9))
def test_what_was_written_is_read_again_however_it_arrives(rows: list[list[str]], size: int) -> None:
    # A row of two empty cells is written as a comma; nothing is lost in any of them.
    text = csv_line(["to", "name"]) + "".join(csv_line(row) for row in rows)
    found = [[record.cells["to"], record.cells["name"]] for record in read(text.encode(), size=size)]
    assert found == rows


def test_the_delimiter_and_the_bom_of_a_spreadsheet_are_understood() -> None:
    records = read('\ufeffTo;Name;City\r\n15550000001;"Pérez; José";León\r\n\r\n15550000002;;\n'.encode())
    assert [record.cells for record in records] == [
        {"to": "15550000001", "name": "Pérez; José", "city": "León"},
        {"to": "15550000002", "name": "", "city": ""},
    ]
    assert [record.line for record in records] == [2, 4]


def test_a_line_break_inside_quotes_belongs_to_its_cell_and_lines_are_still_counted() -> None:
    records = read(b'to,note\n1,"a\nb"\n2,c\n')
    assert [(record.line, record.cells["note"]) for record in records] == [(2, "a\nb"), (4, "c")]


def test_a_line_with_too_many_cells_is_told_and_the_next_one_is_read() -> None:
    first, second = read(b"to,name\n1,2,3\n4,5\n")
    assert first.reason == "has 3 cells, the header has 2"
    assert second.cells == {"to": "4", "name": "5"}


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"to,name\n1,\xff\n", "line 1"),
        (b'to,name\n1,"open\n2,x\n', "line 2"),
        (b"to,to\n1,2\n", "line 1"),
        (b"to,name\n1," + b"x" * 70_000 + b"\n", "line 2"),
    ],
)
def test_what_makes_the_rest_unreadable_ends_it_and_names_the_line(data: bytes, line: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        read(data)
    assert refused.value.code == "invalid_csv"
    assert refused.value.faults[0].path == line


def row_of(**cells: str) -> dict[str, Any]:
    row, reasons = import_row(CsvRecord(7, cells), NOW)
    assert row is not None, reasons
    return row


def test_a_row_has_key_labels_attributes_and_decisions() -> None:
    assert row_of(to="+1 555 000 0001", name=" Ana  María ", labels="vip|new", city="León", opt_out="marketing") == {
        "line": 7,
        "key": "wa:15550000001",
        "name": "Ana María",
        "add_labels": ["vip", "new"],
        "attributes": {"city": "León"},
        "decisions": [
            {"category": "marketing", "status": "out", "at": NOW, "source": "import", "proof": {"line": 7}},
        ],
    }


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"to": "abc"}, "to must be a phone number"),
        ({"name": "Ana"}, "to must be a phone number"),
        ({"to": "15550000001", "opt_out": "yes"}, "opt_out must be marketing or all"),
        ({"to": "15550000001", "attributes": "[]"}, "attributes must be a JSON object"),
        ({"to": "15550000001", "labels": "x" * 70}, "labels[0] must be"),
        ({"to": "15550000001", "all_consent": "maybe"}, "all_consent must be in or out"),
    ],
)
def test_a_faulty_row_says_why(cells: dict[str, str], reason: str) -> None:
    row, reasons = import_row(CsvRecord(3, cells), NOW)
    assert row is None
    assert any(found.startswith(reason) for found in reasons), reasons


def test_columns_that_are_no_attribute_names_are_found() -> None:
    assert unknown_columns(["to", "city", "attributes.zip", "first name", "opt_out"]) == ["first name"]


def test_an_export_goes_in_again_and_a_formula_stays_a_text() -> None:
    entry = ConsentEntry(ConsentCategory.ALL, ConsentStatus.OUT, NOW - timedelta(days=1), "keyword", {"text": "STOP"})
    contact = Contact(
        id="con_1",
        key="wa:15550000001",
        wa_id="15550000001",
        user_id=None,
        name="=SUM(A1)",
        profile_name="Ana",
        username=None,
        attributes={"city": "León", "age": 7},
        labels=("vip", "a b"),
        numbers=("1",),
        opted_out=ConsentCategory.ALL,
        consent={ConsentCategory.ALL: entry},
        history=(entry,),
        order=1,
        created_at=NOW,
        updated_at=NOW,
    )
    text = csv_line(EXPORT_COLUMNS) + export_line(contact)
    assert "'=SUM(A1)" in text
    (record,) = read(text.encode())
    row, reasons = import_row(record, NOW)
    assert row is not None, reasons
    assert row["key"] == contact.key
    assert row["name"] == "=SUM(A1)"
    assert row["add_labels"] == ["vip", "a b"]
    assert row["attributes"] == {"city": "León", "age": 7}
    (decision,) = row["decisions"]
    assert (decision["category"], decision["status"], decision["at"]) == ("all", "out", entry.at)
    assert decision["proof"] == {"source": "keyword", "text": '{"text":"STOP"}', "line": 2}
