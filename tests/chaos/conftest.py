"""Keeps the rows of every case together with what became of its test."""

from collections.abc import Generator

import pytest

from tests.chaos import figures


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" or report.failed:
        figures.keep(held=report.passed, name=item.name)
    return report
