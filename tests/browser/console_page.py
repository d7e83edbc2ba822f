"""A browser on the console: Debian's Chromium, driven by Playwright; it remembers every error and foreign call."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.harness import Cluster

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WAIT_MS = 30_000


@dataclass
class Watched:
    """What went wrong on a page."""

    own: set[str]
    may_lose_connection: bool = False
    signs_out: bool = False
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def look_at(self, page: Page) -> None:
        page.on(
            "console",
            lambda message: message.type == "error" and self.errors.append(f"{message.text} {message.location}"),
        )
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._on_request(request.url))

    def _on_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc not in self.own:
            self.foreign.append(url)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """One browser; contexts of it are as separate as two people's computers."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


def context_for(browser: Browser, cluster: Cluster, **more: Any) -> tuple[BrowserContext, Watched]:
    """A fresh profile that looks at this cluster, in Spanish."""
    settings: dict[str, Any] = {
        "viewport": {"width": 1280, "height": 860},
        "locale": "es-MX",
        "reduced_motion": "reduce",
        **more,
    }
    context = browser.new_context(base_url=f"http://127.0.0.1:{cluster.port}", **settings)
    context.set_default_timeout(WAIT_MS)
    watched = Watched(own={f"127.0.0.1:{cluster.port}"})
    context.on("page", watched.look_at)
    return context, watched


def sign_in(page: Page, cluster: Cluster, *, path: str = "/console") -> None:
    """Sign in on the page, as people do."""
    page.goto(path)
    page.locator("input[type=password]").fill(cluster.key)
    page.locator("button[type=submit]").click()
    page.locator("nav:visible").wait_for()
    page.locator(".live.live").wait_for(state="attached")
