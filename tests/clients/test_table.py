"""The table: kind × direction × path, without an empty cell. It stands last: the tests before it fill it."""

import pytest

from tests.clients.expectations import CALLS, RECEIVED, SENT
from tests.clients.table import TABLE

pytestmark = pytest.mark.clients


def test_there_is_no_empty_cell(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> None:
    ran = {item.name.partition("[")[0] for item in request.session.items}
    if not {"test_a_client_sends_every_kind_it_has", "test_a_client_reads_every_notification"} <= ran:
        pytest.skip("the table needs all tests of this folder")
    with capsys.disabled():
        print("\n" + TABLE.text({"out": (*SENT, *CALLS), "in": RECEIVED}))  # noqa: T201 - it is what the test is for
    assert TABLE.empty("out", (*SENT, *CALLS)) + TABLE.empty("in", RECEIVED) == []
