"""What came from outside forges no log line, moves no cursor and fails no answer."""

import json

import pytest

from config.printable import json_of, printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("niño · 你好 💬", "niño · 你好 💬"),
        ("a\nb", r"a\x0ab"),
        ("a\r\x1b[31mb", r"a\x0d\x1b[31mb"),
        ("\x00\x7f\x85\x9b", r"\x00\x7f\x85\x9b"),
        ("\u2028\u202e", r"\u2028\u202e"),
        (b"\xff".decode(errors="surrogateescape"), r"\xff"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_is_not_printable_is_shown_as_its_number(text: str, shown: str) -> None:
    assert printable(text) == shown
    shown.encode()


def test_lines_stay_lines_but_none_begins_like_a_log_line() -> None:
    assert printable_lines("one\n12:00:00 forged\r\nthree\x0bfour\x1b[0m") == (
        "one\n    12:00:00 forged\n    three\n    four\\x1b[0m"
    )


def test_json_holds_whatever_a_client_sent() -> None:
    told = {"detail": "Unknown: \udcff", "errors": [{"path": "a\ud800", "reason": "x"}], "n": 1, "none": None}
    assert json.loads(json_of(told)) == {
        "detail": "Unknown: \\xff",
        "errors": [{"path": "a\\ud800", "reason": "x"}],
        "n": 1,
        "none": None,
    }
