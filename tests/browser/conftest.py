"""One cluster and one Chromium for all of these tests; each test has a profile of its own, and must leave no error."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.console_page import CHROMIUM, Watched, chromium, context_for, sign_in
from tests.browser.scenes import make_template, name_customers
from tests.harness import Cluster, start_cluster


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("console"), workers=2) as cluster:
        name_customers(cluster)
        make_template(cluster)
        yield cluster


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium)")
    with chromium() as browser:
        yield browser


Open = Callable[..., Page]
expect.set_options(timeout=30_000)  # a busy machine is no fault of the page


@pytest.fixture
def open_page(cluster: Cluster, browser: Browser) -> Iterator[Open]:
    """Opens a signed-in page in a profile of its own: `open_page("/console/keys", color_scheme="dark")`."""
    opened = []

    def open_one(
        path: str = "/console",
        *,
        signs_in: bool = True,
        may_lose_connection: bool = False,
        signs_out: bool = False,
        **more: object,
    ) -> Page:
        context, watched = context_for(browser, cluster, **more)
        watched.may_lose_connection = may_lose_connection
        watched.signs_out = signs_out
        opened.append((context, watched))
        page = context.new_page()
        if signs_in:
            sign_in(page, cluster, path=path)
        else:
            page.goto(path)
        return page

    yield open_one
    faults = [fault for _, watched in opened for fault in faults_of(watched)]
    for context, _ in opened:
        context.close()
    assert not faults, "\n".join(faults)


def faults_of(watched: Watched) -> list[str]:
    """Errors of the page, and calls to other hosts."""
    errors = [error for error in watched.errors if not (watched.may_lose_connection and "net::ERR_" in error)]
    # What was under way when somebody signed out is refused, as it must be.
    errors = [error for error in errors if not (watched.signs_out and "status of 401" in error)]
    return [*(f"error: {error}" for error in errors), *(f"left the host: {url}" for url in watched.foreign)]
