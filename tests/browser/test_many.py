"""Long lists scroll like short ones: of conversations only the rows in sight are drawn, other lists have an end."""

import json
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Route, expect

from tests.browser.conftest import Open

COUNT = 10_000
MOST_DRAWN = 60
FRAME_MS = 250  # a machine that runs other tests beside this one still draws four frames a second, at the least


def conversation(n: int) -> dict[str, object]:
    at = f"2026-01-{28 - n // 400:02d}T{23 - n % 400 // 20:02d}:{59 - n % 20 * 2:02d}:00.000Z"
    return {
        "id": f"cnv_{n:05d}",
        "phone_number_id": "106540352242922",
        "contact": {"wa_id": f"1650{n:07d}", "user_id": None, "name": f"Persona {n}"},
        "status": "open",
        "unread_count": n % 3,
        "assignee": None,
        "labels": [],
        "window_closes_at": None,
        "created_at": at,
        "last_inbound_at": at,
        "last_outbound_at": None,
        "last_message": {"id": f"msg_{n}", "direction": "in", "type": "text", "text": f"Mensaje {n}", "at": at},
    }


def answer(route: Route) -> None:
    """A page of the list, as the API pages."""
    asked = parse_qs(urlsplit(route.request.url).query)
    start, limit = int(asked.get("cursor", ["0"])[0]), int(asked["limit"][0])
    data = [conversation(n) for n in range(start, min(start + limit, COUNT))]
    cursor = str(start + limit) if start + limit < COUNT else None
    route.fulfill(content_type="application/json", body=json.dumps({"data": data, "next_cursor": cursor}))


def test_ten_thousand_conversations_scroll_smoothly(open_page: Open) -> None:
    page = open_page("/console/events")
    page.route("**/v1/conversations?*", answer)
    page.goto("/console/inbox")
    expect(page.locator("a.row", has_text="Mensaje 0")).to_have_count(1)
    seen = page.evaluate(
        """async (count) => {
            const host = document.querySelector('.virtual');
            const gaps = [];
            let last = performance.now();
            let drawn = 0;
            const until = last + 90000;
            while (host.scrollTop + host.clientHeight < count * 76 - 4 && performance.now() < until) {
                host.scrollTop += 3000;
                const now = await new Promise(requestAnimationFrame);
                gaps.push(now - last);
                last = now;
                drawn = Math.max(drawn, document.querySelectorAll('a.row').length);
            }
            gaps.sort((a, b) => a - b);
            return {rows: host.scrollHeight / 76, drawn, p95: gaps[Math.floor(gaps.length * 0.95)]};
        }""",
        COUNT,
    )
    assert seen["rows"] >= COUNT
    assert seen["drawn"] <= MOST_DRAWN
    assert seen["p95"] < FRAME_MS
    expect(page.locator("a.row", has_text=f"Persona {COUNT - 1}")).to_be_visible()


def event(n: int) -> dict[str, object]:
    data = {"message_id": f"msg_{n}", "to": "16505551234", "status": "sent", "preview": f"Aviso {n} " + "palabra " * 20}
    at = f"2026-01-28T10:{59 - n // 60:02d}:{59 - n % 60:02d}.000Z"
    number = "106540352242922"
    return {
        "seq": 900_000 - n,
        "id": f"evt_{n}",
        "type": "message.sent",
        "at": at,
        "phone_number_id": number,
        "data": data,
    }


def contact(n: int) -> dict[str, object]:
    more = {"user_id": None, "profile_name": None, "username": None, "attributes": {}, "opted_out": None}
    created = "2026-01-28T10:00:00.000Z"
    return {
        "id": f"con_{n}",
        "wa_id": f"1650{n:07d}",
        "name": f"Persona {n}",
        "labels": ["vip"],
        "created_at": created,
        **more,
    }


SCROLLS = """async () => {
    const host = document.querySelector('main');
    const gaps = [];
    let last = performance.now();
    const until = last + 30000;
    while (host.scrollTop + host.clientHeight < host.scrollHeight - 4 && performance.now() < until) {
        host.scrollTop += 400;
        const now = await new Promise(requestAnimationFrame);
        gaps.push(now - last);
        last = now;
    }
    gaps.sort((a, b) => a - b);
    const reached = host.scrollTop + host.clientHeight >= host.scrollHeight - 4;
    return {reached, p95: gaps[Math.floor(gaps.length * 0.95)]};
}"""


def test_the_lists_of_events_and_of_contacts_have_an_end_and_scroll_smoothly(open_page: Open) -> None:
    page = open_page("/console/keys")
    page.route(
        "**/console/latest-events*",
        lambda route: route.fulfill(json={"data": [event(n) for n in range(700)]}),
    )
    page.goto("/console/events")
    expect(page.locator(".event")).to_have_count(500)
    seen = page.evaluate(SCROLLS)
    assert seen["reached"]
    assert seen["p95"] < FRAME_MS

    def people(route: Route) -> None:
        asked = parse_qs(urlsplit(route.request.url).query)
        start, limit = int(asked.get("cursor", ["0"])[0]), int(asked["limit"][0])
        route.fulfill(
            json={"data": [contact(n) for n in range(start, start + limit)], "next_cursor": str(start + limit)}
        )

    page.route("**/v1/contacts?*", people)
    page.goto("/console/contacts")
    more = page.get_by_role("button", name="Ver más")
    while page.locator(".more .muted").count() == 0:
        shown = page.locator(".person-link").count()
        more.click()
        expect(page.locator(".person-link")).not_to_have_count(shown)
    assert page.locator(".person-link").count() <= 1_200
    seen = page.evaluate(SCROLLS)
    assert seen["reached"]
    assert seen["p95"] < FRAME_MS
