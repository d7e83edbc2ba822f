"""Pictures of every page, light and dark, narrow and wide: ``python -m tests.browser.screenshots FOLDER``."""

import contextlib
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.console_page import chromium, context_for, sign_in
from tests.browser.scenes import ANA, LUIS, TOM, conversation_of, furnish
from tests.harness import Cluster, start_cluster

SIZES = {
    "360": {"width": 360, "height": 740},
    "390": {"width": 390, "height": 844},
    "1280": {"width": 1280, "height": 860},
}
PAGES = ("inbox", "contacts", "campaigns", "cluster", "templates", "numbers", "webhooks", "events", "keys")
SETTLE_MS = 700


class Takes(BaseHTTPRequestHandler):
    """Somebody's program that takes every webhook."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """It is silent."""


@contextlib.contextmanager
def listener() -> Iterator[str]:
    """The URL of such a program."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/webhook"
    server.shutdown()


def shoot(page: Page, folder: Path, name: str) -> None:
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=folder / f"{name}.png")


def tour(browser: Browser, cluster: Cluster, folder: Path, *, scheme: str, width: str) -> None:
    """One walk through all pages."""
    context, watched = context_for(browser, cluster, viewport=SIZES[width], color_scheme=scheme)
    page = context.new_page()
    suffix = f"-{scheme}-{width}"
    page.goto("/console")
    page.locator(".login-card").wait_for()
    shoot(page, folder, f"login{suffix}")
    sign_in(page, cluster)
    for part in PAGES:
        page.goto(f"/console/{part}")
        shoot(page, folder, f"{part}{suffix}")
    for name, wa_id in (("thread", ANA), ("failure", LUIS), ("location", TOM)):
        page.goto(f"/console/inbox/{conversation_of(cluster, wa_id)['id']}")
        page.locator(".bubble-line").first.wait_for()
        shoot(page, folder, f"{name}{suffix}")
    page.goto(f"/console/inbox/{conversation_of(cluster, ANA)['id']}")
    page.get_by_role("button", name="Detalles", exact=True).click()
    shoot(page, folder, f"details{suffix}")
    page.get_by_role("button", name="Cerrar", exact=True).first.click()
    page.get_by_role("button", name="Plantilla", exact=True).click()
    page.get_by_role("button", name="order_ready").click()
    shoot(page, folder, f"picker{suffix}")
    page.goto("/console/campaigns")
    page.get_by_role("button", name="Ver resultados").first.click()
    shoot(page, folder, f"campaign{suffix}")
    page.get_by_role("button", name="Nueva campaña").first.click()
    shoot(page, folder, f"new-campaign{suffix}")
    page.goto("/console/webhooks")
    page.get_by_role("button", name="Entregas").first.click()
    shoot(page, folder, f"webhook{suffix}")
    for error in watched.errors:
        sys.stderr.write(f"{suffix}: {error}\n")
    context.close()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        listener() as url,
        start_cluster(Path(data), workers=2) as cluster,
        chromium() as browser,
    ):
        context, _ = context_for(browser, cluster)
        page = context.new_page()
        sign_in(page, cluster)
        shoot(page, folder, "first-run-light-1280")
        context.close()
        furnish(cluster, listener=url)
        for scheme in ("light", "dark"):
            for width in SIZES:
                tour(browser, cluster, folder, scheme=scheme, width=width)
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures in {folder}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
