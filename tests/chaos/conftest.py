"""Keeps the row of each case with the outcome of its test; shows the log of a host whose test failed."""

from collections.abc import Generator, Iterator

import pytest

from tests.chaos import figures
from tests.chaos.host import Host
from tests.harness import Cluster


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" or report.failed:
        figures.keep(held=report.passed, name=item.name)
    return report


@pytest.fixture
def cluster(host: Host) -> Iterator[Cluster]:
    """The installation of the module's `host`, for one test."""
    try:
        yield host.cluster()
    except BaseException:
        host.show_log()
        raise
