"""The live stream of the page: it lives while the session is used, says when it does not, and comes back by itself."""

import signal
import time
from collections.abc import Callable, Iterator
from os import kill

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.console_page import context_for, sign_in
from tests.browser.scenes import customer, text
from tests.harness import Cluster, start_cluster
from tests.harness.waiting import until

IDLE_S = 10
WA_ID = "12025550161"
STREAM = "**/v1/events/stream*"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose sessions end after ten seconds without use."""
    limits = {"PANAL_CONSOLE_IDLE_S": str(IDLE_S)}
    with start_cluster(tmp_path_factory.mktemp("short"), workers=2, environment=limits) as cluster:
        yield cluster


@pytest.fixture
def page(short: Cluster, browser: Browser) -> Iterator[Page]:
    """A page that shows the log, signed in."""
    context, _ = context_for(browser, short)
    page = context.new_page()
    sign_in(page, short, path="/console/events")
    yield page
    context.close()


def says(page: Page, state: str) -> None:
    expect(page.locator(f".live.{state}")).to_be_attached()


def sees(page: Page, cluster: Cluster, words: str) -> None:
    """What a customer writes now is on the page, without a reload."""
    customer(cluster, WA_ID, text(words))
    expect(page.locator(".event", has_text=words).first).to_be_visible()


def keep_using(page: Page, seconds: float, between: Callable[[], None] = lambda: None) -> None:
    """Somebody works on the page all the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        page.keyboard.press("Shift")
        between()
        page.wait_for_timeout(1_000)


def test_the_stream_outlives_the_cookie_with_which_it_began(short: Cluster, page: Page) -> None:
    page.evaluate("""() => new MutationObserver(() => {
        const state = document.querySelector('.live').className;
        (window.states ??= []).push(state);
    }).observe(document.querySelector('.live'), {attributes: true})""")
    keep_using(page, 65)
    sees(page, short, "sigue en vivo")
    says(page, "live")
    assert page.evaluate("window.states ?? []") == [], "one stream, all the time"


def test_a_session_that_nobody_used_ends_with_the_door_and_goes_on_after_it(short: Cluster, page: Page) -> None:
    expect(page.get_by_role("button", name="Entrar")).to_be_visible()
    expect(page.get_by_text("La sesión terminó")).to_be_visible()
    customer(short, WA_ID, text("mientras nadie miraba"))
    page.get_by_label("Clave de API").fill(short.key)
    page.get_by_role("button", name="Entrar").click()
    says(page, "live")
    expect(page.locator(".event", has_text="mientras nadie miraba").first).to_be_visible()
    sees(page, short, "otra vez en vivo")


def test_signing_out_elsewhere_shows_the_door_here(short: Cluster, page: Page, browser: Browser) -> None:
    context, _ = context_for(browser, short)
    other = context.new_page()
    sign_in(other, short)
    other.get_by_role("button", name="Cuenta: bootstrap").click()
    other.get_by_role("button", name="Cerrar todas las sesiones").click()
    began = time.monotonic()
    expect(page.get_by_role("button", name="Entrar")).to_be_visible(timeout=8_000)
    assert time.monotonic() - began < 8
    context.close()


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
def test_whatever_the_server_answers_the_page_says_so_and_comes_back(short: Cluster, page: Page, status: int) -> None:
    refused = 0

    def refuse(route: Route) -> None:
        nonlocal refused
        refused += 1
        headers = {"retry-after": "1"} if status in (429, 503) else {}
        route.fulfill(status=status, headers=headers, json={"detail": "no", "code": "no"})

    page.route(STREAM, refuse)
    page.reload()
    says(page, "broken")
    keep_using(page, 3)
    customer(short, WA_ID, text(f"durante {status}"))
    says(page, "broken")
    page.unroute(STREAM)
    says(page, "live")
    expect(page.locator(".event", has_text=f"durante {status}").first).to_be_visible()
    assert 2 <= refused < 10, "it tries again, and not all the time"


def test_without_a_network_the_page_says_so_at_once_and_misses_nothing(short: Cluster, page: Page) -> None:
    page.context.set_offline(True)
    expect(page.locator(".live.broken")).to_be_attached(timeout=5_000)
    customer(short, WA_ID, text("sin red"))
    page.context.set_offline(False)
    expect(page.locator(".live.live")).to_be_attached(timeout=5_000)
    expect(page.locator(".event", has_text="sin red").first).to_be_visible()


def test_a_server_that_does_not_say_where_the_log_ends_is_asked_again(short: Cluster, page: Page) -> None:
    page.route("**/console/tails", lambda route: route.fulfill(status=503, json={"detail": "no"}))
    page.reload()
    says(page, "broken")
    page.unroute("**/console/tails")
    says(page, "live")
    sees(page, short, "por fin")


def test_a_worker_that_leaves_or_dies_takes_no_event_with_it(short: Cluster, page: Page) -> None:
    for number, how in enumerate((signal.SIGTERM, signal.SIGKILL)):
        before = short.worker_pids()
        for pid in before:
            kill(pid, how)
        customer(short, WA_ID, text(f"sin trabajadores {number}"))
        until(lambda before=before: len(set(short.worker_pids()) - set(before)) == 2, "both are replaced")  # type: ignore[misc]
        keep_using(page, 2)
        says(page, "live")
        expect(page.locator(".event", has_text=f"sin trabajadores {number}").first).to_be_visible()
