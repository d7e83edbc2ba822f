"""An empty installation explains itself: three steps, one click each. (It runs first: the file's name sees to that.)"""

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.harness import Cluster


def test_a_newcomer_receives_a_first_message_with_one_click(cluster: Cluster, open_page: Open) -> None:
    assert cluster.client.get("/v1/conversations").json()["data"] == []
    page = open_page()
    steps = page.locator(".first li")
    expect(steps).to_have_count(3)
    for step in range(3):
        expect(steps.nth(step).get_by_role("button")).to_have_count(1)
    page.get_by_role("button", name="Escribir como cliente").click()
    row = page.locator("a.row", has_text="Ana Pérez")
    expect(row).to_be_visible()
    expect(page.locator(".phone-panel")).to_contain_text("miel de azahar")
    row.click()
    expect(page.locator(".bubble-line.in", has_text="miel de azahar")).to_be_visible()
