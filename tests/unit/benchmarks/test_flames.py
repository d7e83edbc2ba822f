"""Sampled stacks as shares and as a picture."""

from xml.etree import ElementTree as Xml

import pytest

from benchmarks.flames import Frame, flame_graph, read_stacks, shares

STACKS = [
    "main (start.py:1);loop (uv.py:7);accept (services/a.py:10);dump (json.py:3) 30",
    "main (start.py:1);loop (uv.py:7);accept (services/a.py:12) 20",
    "main (start.py:1);loop (uv.py:7);read (sanic/b.py:1);read (sanic/b.py:2) 40",
    "thread (threading.py:9);send (motor/c.py:1) 10",
]


def test_a_function_has_its_own_share_and_that_of_what_it_calls() -> None:
    found = shares(read_stacks(STACKS, below="loop"))
    assert found["accept (services/a.py)"] == pytest.approx((0.2, 0.5))
    assert found["dump (json.py)"] == pytest.approx((0.3, 0.3))
    assert found["read (sanic/b.py)"] == pytest.approx((0.4, 0.4)), "recursion counts once"
    assert found["thread (threading.py)"] == pytest.approx((0.0, 0.1))
    assert "main (start.py)" not in found


def test_nothing_sampled_is_no_share_of_anything() -> None:
    assert shares(read_stacks([], below="loop")) == {}
    assert "<svg" in flame_graph(Frame("all"), title="nothing")


def test_the_picture_shows_each_frame_with_its_share() -> None:
    picture = Xml.fromstring(flame_graph(read_stacks(STACKS, below="loop"), title="a <b>"))  # noqa: S314 - our own
    titles = [title.text for title in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert "accept (services/a.py): 50.0%" in titles
    widths = [float(rect.attrib["width"]) for rect in picture.iter("{http://www.w3.org/2000/svg}rect")]
    assert 600.0 in widths
