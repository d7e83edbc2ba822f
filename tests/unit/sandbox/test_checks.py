"""What Meta refuses in a message, code by code."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.checks.message import check_message, check_status_call, media_in
from services.sandbox.checks.template_creation import check_creation
from services.sandbox.graph.call import split_path
from services.sandbox.wire.faults import GraphFault

BODY = {"text": "b"}


def button(button_id: str = "a", title: str = "A") -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": button_id, "title": title}}


def buttons(*given: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "interactive",
        "interactive": {"type": "button", "body": BODY, "action": {"buttons": list(given)}, **more},
    }


def rows(count: int, **more: Any) -> dict[str, Any]:
    found = [{"id": f"r{at}", "title": "t", **more} for at in range(count)]
    action = {"button": "Open", "sections": [{"rows": found}]}
    return {"type": "interactive", "interactive": {"type": "list", "body": BODY, "action": action}}


def template(*components: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "template",
        "template": {"name": "n", "language": {"code": "es"}, "components": list(components), **more},
    }


REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"type": "voice", "voice": {}}, 100),
    ({"type": "text"}, 100),
    ({"type": "text", "text": {}}, 131008),
    ({"type": "text", "text": {"body": ""}}, 100),
    ({"type": "text", "text": {"body": "x" * 4097}}, 100),
    ({"type": "text", "text": {"body": {"$ne": 1}}}, 100),
    ({"type": "text", "text": "x"}, 100),
    ({"type": "image", "image": {}}, 131008),
    ({"type": "image", "image": {"id": "1", "link": "https://a.test"}}, 100),
    ({"type": "image", "image": {"link": "ftp://a.test"}}, 100),
    ({"type": "image", "image": {"id": "1", "caption": "x" * 1025}}, 131009),
    ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009),
    ({"type": "location", "location": {"longitude": 0}}, 131008),
    ({"type": "contacts", "contacts": []}, 131009),
    ({"type": "contacts", "contacts": [{"name": {}}]}, 131008),
    ({"type": "contacts", "contacts": "no json"}, 100),
    ({"type": "reaction", "reaction": {"emoji": "👍"}}, 131008),
    ({"type": "reaction", "reaction": {"message_id": "w", "emoji": "thumbs"}}, 131009),
    ({"type": "reaction", "reaction": {"message_id": "w", "emoji": "👍"}, "context": {"message_id": "w"}}, 100),
    ({"type": "text", "text": {"body": "x"}, "context": {"id": "w"}}, 131008),
    ({"type": "text", "text": {"body": "x"}, "biz_opaque_callback_data": "x" * 513}, 100),
    ({"type": "interactive", "interactive": {"type": "poll"}}, 100),
    (buttons(), 131009),
    (buttons(*(button(str(at), str(at)) for at in range(4))), 131009),
    (buttons(button("a", "A"), button("a", "B")), 131009),
    (buttons(button("a", "A"), button("b", "A")), 131009),
    (buttons(button(" a")), 131009),
    (buttons(button(title="x" * 21)), 131009),
    (buttons(button(), footer={"text": "x" * 61}), 131009),
    (buttons(button(), body={"text": "x" * 1025}), 131009),
    (buttons(button(), body=None), 131008),
    (buttons(button(), header={"type": "audio"}), 100),
    (rows(11), 131009),
    (rows(0), 131009),
    (rows(1, title="x" * 25), 131009),
    (rows(1, description="x" * 73), 131009),
    (template({"type": "tail"}), 100),
    (template({"type": "button", "index": 0}), 131008),
    (template({"type": "button", "sub_type": "url", "index": 10}), 131009),
    (template({"type": "body", "parameters": [{"type": "text"}]}), 131008),
    (template({"type": "body", "parameters": [{"type": "hologram"}]}), 100),
    (template(language={}), 131008),
]


@pytest.mark.parametrize(("body", "code"), REFUSED)
def test_it_is_refused_with_its_code(body: dict[str, Any], code: int) -> None:
    with pytest.raises(GraphFault) as caught:
        check_message(body)
    assert caught.value.code == code
    assert caught.value.details


@pytest.mark.parametrize(
    "body",
    [
        rows(10, description=""),
        buttons(button("a", "A"), button("b", "B"), button("c", "C")),
        template({"type": "BODY", "parameters": [{"type": "TEXT", "text": "x"}]}),
        template({"type": "button", "sub_type": "URL", "index": "0", "parameters": [{"type": "text", "text": "x"}]}),
        {"type": "text", "text": {"body": "x" * 4096}, "context": {}},
        {"type": "reaction", "reaction": {"message_id": "w"}},
    ],
)
def test_what_real_clients_send_passes(body: dict[str, Any]) -> None:
    assert check_message(body).kind == body["type"]


@given(
    st.dictionaries(
        st.sampled_from(["type", "text", "image", "interactive", "template", "contacts", "context", "location"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["body", "type", "action", "name", "buttons", "id", "text"]), inner)
            ),
            max_leaves=8,
        ),
    )
)
def test_no_body_whatsoever_breaks_the_checks(body: dict[str, Any]) -> None:
    with contextlib.suppress(GraphFault):
        assert check_message(body).kind


def test_media_is_found_wherever_it_stands() -> None:
    header = {"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]}
    card = {"components": [{"type": "header", "parameters": [{"type": "video", "video": {"id": "2"}}]}]}
    found = media_in(check_message(template(header, {"type": "carousel", "cards": [card]})))
    assert found == [("image", {"id": "1"}), ("video", {"id": "2"})]
    found = media_in(check_message(buttons(button(), header={"type": "document", "document": {"id": "3"}})))
    assert found == [("document", {"id": "3"})]


def test_read_marks_want_a_message() -> None:
    assert check_status_call({"status": "read", "message_id": "w", "typing_indicator": {"type": "text"}}) == "w"
    for body in ({"status": "delivered", "message_id": "w"}, {"status": "read"}, {"status": "read", "message_id": ""}):
        with pytest.raises(GraphFault):
            check_status_call(body)


@pytest.mark.parametrize(
    ("changes", "subcode"),
    [
        ({"name": "Not Allowed"}, None),
        ({"category": "OTHER"}, None),
        ({"components": []}, None),
        ({"components": [{"type": "BODY", "text": "{{1}} first"}]}, 2388299),
        ({"components": [{"type": "BODY", "text": "x" * 1025}]}, 2388040),
        ({"components": [{"type": "BODY", "text": "x"}, {"type": "FOOTER", "text": "{{1}}"}]}, 2388073),
        ({"components": [{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": []}]}, None),
    ],
)
def test_a_template_is_refused_at_its_creation(changes: dict[str, Any], subcode: int | None) -> None:
    good = {"name": "n", "language": "es", "category": "utility", "components": [{"type": "body", "text": "x"}]}
    assert check_creation(good)["category"] == "UTILITY"
    with pytest.raises(GraphFault) as caught:
        check_creation({**good, **changes})
    assert caught.value.subcode == subcode


@pytest.mark.parametrize("path", ["/v23.0/1/messages", "/v9/1/messages/", "/1/messages", "//1//messages"])
def test_any_version_and_none_is_the_same_path(path: str) -> None:
    assert split_path(path) == ("1", "messages")
