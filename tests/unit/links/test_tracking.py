"""Our id travels inside `biz_opaque_callback_data`, and the caller's own data comes back unharmed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.ids import new_id
from services.links import CALLER_DATA_LIMIT, Tracking, decode_tracking, encode_tracking

MESSAGE_ID = "msg_01JB4C7K8Q0000000000000000"


@pytest.mark.parametrize(
    ("caller_data", "wire"),
    [
        (None, f"panal:{MESSAGE_ID}"),
        ("", f"panal:{MESSAGE_ID}|"),
        ("order-7", f"panal:{MESSAGE_ID}|order-7"),
        ("a|b|panal:msg_x", f"panal:{MESSAGE_ID}|a|b|panal:msg_x"),
    ],
)
def test_encoding_has_a_fixed_shape_and_comes_back(caller_data: str | None, wire: str) -> None:
    assert encode_tracking(MESSAGE_ID, caller_data) == wire
    assert decode_tracking(wire) == Tracking(MESSAGE_ID, caller_data)


@pytest.mark.parametrize("foreign", ["", "trk-1", "PANAL:x", "panal", "panal:", "panal:|data", '{"a":1}'])
def test_what_another_program_has_put_there_is_its_own(foreign: str) -> None:
    assert decode_tracking(foreign) == Tracking(None, foreign)


def test_nothing_is_nothing() -> None:
    assert decode_tracking(None) == Tracking(None, None)


@given(st.none() | st.text(max_size=CALLER_DATA_LIMIT))
def test_any_data_of_a_caller_fits_and_survives(caller_data: str | None) -> None:
    message_id = new_id("msg")
    wire = encode_tracking(message_id, caller_data)
    assert len(wire) <= 512
    assert decode_tracking(wire) == Tracking(message_id, caller_data)
