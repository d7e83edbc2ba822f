"""Ranges of files. Source: RFC 9110, 14.1.2."""

import pytest

from blueprints.streaming import RangeRefused, _span


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-", (0, 100)),
        ("bytes=0-9", (0, 10)),
        ("bytes=90-", (90, 10)),
        ("bytes=99-99", (99, 1)),
        ("bytes=90-500", (90, 10)),
        ("bytes=-10", (90, 10)),
        ("bytes=-500", (0, 100)),
        (f"bytes=-{'9' * 3_999}", (0, 100)),
        (f"bytes=90-{'9' * 3_999}", (90, 10)),
        (f"bytes={'0' * 3_000}5-9", (5, 5)),
        ("bytes=٣-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=-", None),
    ],
)
def test_a_range_is_cut_out_of_a_hundred_bytes(header: str | None, span: tuple[int, int] | None) -> None:
    assert _span(header, 100) == span


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=5-4", "bytes=-0", "bytes=200-300", f"bytes={'9' * 3_999}-"])
def test_a_range_that_is_not_there_is_refused(header: str) -> None:
    with pytest.raises(RangeRefused):
        _span(header, 100)
