"""Every kind of message with Meta's limits: what leaves unchanged, what is put in order, what is refused and where."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RequestRefused
from services.messages.content.faults import ContentRefused
from services.messages.content.interactive import BY_TYPE
from services.messages.content.parse import KINDS, parse_content

TO = "16505551234"
LINK = "https://example.com/a.png"
SKU = {"product_retailer_id": "SKU"}
TEXT_PARAMETER = {"type": "text", "text": "a"}


def message(kind: str, part: Any, **more: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": TO, "type": kind, kind: part, **more}


def interactive(type_: str, action: Any, **more: Any) -> dict[str, Any]:
    return message("interactive", {"type": type_, "body": {"text": "b"}, "action": action, **more})


def template(*components: Any, **more: Any) -> dict[str, Any]:
    return message("template", {"name": "order_1", "language": {"code": "en_US"}, "components": [*components], **more})


def faults(raw: Any) -> tuple[list[str], int]:
    """The faulty paths, and Meta's code."""
    with pytest.raises(RequestRefused) as caught:
        parse_content(raw)
    assert isinstance(caught.value, ContentRefused)
    assert caught.value.extra == {"graph_code": caught.value.graph_code}
    assert all(fault.reason for fault in caught.value.faults)
    return [error["path"] for error in caught.value.errors], caught.value.graph_code


# --- any shape

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def is_taken_or_refused(raw: dict[str, Any]) -> None:
    with suppress(ContentRefused):
        parse_content(raw)


@given(JSON_VALUES, st.sampled_from(KINDS))
def test_any_json_as_the_part_of_a_kind_is_taken_or_refused(part: Any, kind: str) -> None:
    is_taken_or_refused({"to": TO, "type": kind, kind: part})


@given(JSON_VALUES, st.sampled_from([*BY_TYPE]))
def test_any_json_as_an_interactive_action_is_taken_or_refused(action: Any, type_: str) -> None:
    is_taken_or_refused(interactive(type_, action))


@given(JSON_VALUES)
def test_any_json_as_a_template_component_is_taken_or_refused(component: Any) -> None:
    is_taken_or_refused(template(component))


# --- every kind

ACCEPTED = {
    "text": message("text", {"body": "x" * 4096}),
    "image by link": message("image", {"link": LINK, "caption": "x" * 1024}),
    "image by id": message("image", {"id": "1037543291543636"}),
    "video": message("video", {"link": LINK, "caption": "c"}),
    "audio": message("audio", {"link": LINK}),
    "voice note": message("audio", {"id": "1", "voice": True}),
    "document": message("document", {"link": LINK, "caption": "c", "filename": "invoice.pdf"}),
    "sticker": message("sticker", {"id": "1"}),
    "location": message("location", {"latitude": 37.4421, "longitude": -122.1615, "name": "n", "address": "a"}),
    "contacts": message(
        "contacts",
        [
            {
                "name": {"formatted_name": "Barbara J", "first_name": "Barbara"},
                "birthday": "1999-01-23",
                "phones": [{"phone": "+16505559999", "type": "CELL", "wa_id": "16505559999"}],
                "emails": [{"email": "b@example.com", "type": "WORK"}],
                "urls": [{"url": "https://example.com", "type": "HOME"}],
                "addresses": [{"street": "s", "city": "c", "zip": "1", "country_code": "us", "type": "HOME"}],
                "org": {"company": "c", "department": "d", "title": "t"},
            }
        ],
    ),
    "reaction": message("reaction", {"message_id": "wamid.A", "emoji": "👍"}),
    "reaction removed": message("reaction", {"message_id": "wamid.A", "emoji": ""}),
    "buttons": interactive(
        "button",
        {"buttons": [{"type": "reply", "reply": {"id": str(n), "title": f"Button {n}"}} for n in range(3)]},
        header={"type": "image", "image": {"id": "1"}},
        footer={"text": "f" * 60},
    ),
    "list": interactive(
        "list",
        {
            "button": "b" * 20,
            "sections": [
                {"title": f"S{n}", "rows": [{"id": f"{n}{m}", "title": "t" * 24, "description": "d"} for m in range(5)]}
                for n in range(2)
            ],
        },
        header={"type": "text", "text": "h" * 60},
    ),
    "cta_url": interactive(
        "cta_url", {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.com/x"}}
    ),
    "flow by id": interactive(
        "flow",
        {
            "name": "flow",
            "parameters": {
                "flow_message_version": "3",
                "flow_id": "123",
                "flow_token": "unused",
                "flow_cta": "Open",
                "mode": "published",
                "flow_action": "navigate",
                "flow_action_payload": {"screen": "S", "data": {"x": 1}},
            },
        },
    ),
    "flow by name": interactive(
        "flow", {"name": "flow", "parameters": {"flow_message_version": "3", "flow_name": "n", "flow_cta": "Go"}}
    ),
    "product": interactive("product", {"catalog_id": "1", "product_retailer_id": "SKU"}),
    "product_list": interactive(
        "product_list",
        {"catalog_id": "1", "sections": [{"title": "s", "product_items": [{"product_retailer_id": "A"}]}]},
        header={"type": "text", "text": "h"},
    ),
    "catalog_message": interactive(
        "catalog_message", {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "SKU"}}
    ),
    "carousel": message(
        "interactive",
        {
            "type": "carousel",
            "body": {"text": "b"},
            "action": {
                "cards": [
                    {
                        "card_index": n,
                        "type": "cta_url",
                        "header": {"type": "image", "image": {"link": LINK}},
                        "body": {"text": "one\ntwo\nthree"},
                        "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": LINK}},
                    }
                    for n in range(2)
                ]
            },
        },
    ),
    "location request": interactive("location_request_message", {"name": "send_location"}),
    "address": interactive("address_message", {"name": "address_message", "parameters": {"country": "IN"}}),
    "contact request": interactive("request_contact_info", {"name": "request_contact_info"}),
    "voice call": interactive(
        "voice_call", {"name": "voice_call", "parameters": {"display_text": "Call", "ttl_minutes": 10}}
    ),
    "call permission": interactive("call_permission_request", {"name": "call_permission_request"}),
    "template": message("template", {"name": "hello_world", "language": {"code": "en_US"}}),
    "template, every component": template(
        {"type": "header", "parameters": [{"type": "document", "document": {"link": LINK, "filename": "a.pdf"}}]},
        {"type": "header", "parameters": [{"type": "location", "location": {"latitude": 1.5, "longitude": 2.5}}]},
        {
            "type": "body",
            "parameters": [
                {"type": "text", "text": "a"},
                {"type": "text", "parameter_name": "first_name", "text": "Pablo"},
                {"type": "currency", "currency": {"fallback_value": "$1", "code": "USD", "amount_1000": 1000}},
                {"type": "date_time", "date_time": {"fallback_value": "today"}},
            ],
        },
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "0",
            "parameters": [{"type": "payload", "payload": "PAY"}],
        },
        {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "suffix"}]},
        {
            "type": "button",
            "sub_type": "copy_code",
            "index": "2",
            "parameters": [{"type": "coupon_code", "coupon_code": "25OFF"}],
        },
        {
            "type": "button",
            "sub_type": "flow",
            "index": "3",
            "parameters": [{"type": "action", "action": {"flow_token": "t", "flow_action_data": {"a": 1}}}],
        },
        {
            "type": "limited_time_offer",
            "parameters": [{"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1209600000}}],
        },
        {
            "type": "carousel",
            "cards": [{"card_index": 0, "components": [{"type": "body", "parameters": [TEXT_PARAMETER]}]}],
        },
    ),
}


@pytest.mark.parametrize("raw", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_message_in_metas_own_form_leaves_unchanged(raw: dict[str, Any]) -> None:
    content = parse_content(raw)
    kind = raw["type"]
    assert content.kind == kind
    assert content.payload == {"type": kind, kind: raw[kind]}


def test_the_table_above_has_every_kind() -> None:
    assert {raw["type"] for raw in ACCEPTED.values()} == set(KINDS)
    types = {raw["interactive"]["type"] for raw in ACCEPTED.values() if raw["type"] == "interactive"}
    assert types == set(BY_TYPE)


# --- what real clients send


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            message("contacts", '[{"name":{"formatted_name":"A"},"phones":[{"phone":"+1650"}]}]'),
            [{"name": {"formatted_name": "A"}, "phones": [{"phone": "+1650"}]}],
        ),
        (
            message(
                "contacts",
                [{"name": {"formatted_name": "A", "suffix": None}, "org": None, "birthday": None, "emails": []}],
            ),
            [{"name": {"formatted_name": "A"}, "emails": []}],
        ),
        (message("image", {"link": LINK, "caption": None, "id": None}), {"link": LINK}),
        (message("image", {"link": LINK, "caption": "", "id": ""}), {"link": LINK}),
        (message("image", {"id": 1037543291543636}), {"id": "1037543291543636"}),
        (
            message("location", {"latitude": "37.44", "longitude": "-122.1", "name": None}),
            {"latitude": 37.44, "longitude": -122.1},
        ),
        (message("reaction", {"message_id": "wamid.A"}), {"message_id": "wamid.A", "emoji": ""}),
        (message("reaction", {"message_id": "wamid.A", "emoji": None}), {"message_id": "wamid.A", "emoji": ""}),
        (message("text", {"body": "x", "preview_url": None}), {"body": "x"}),
        (message("text", {"body": "x", "preview_url": "true"}), {"body": "x", "preview_url": True}),
        (message("text", {"body": 42}), {"body": "42"}),
        (message("text", {"body": "x", "format": "new"}), {"body": "x", "format": "new"}),
        (
            template({"type": "BODY", "parameters": [{"type": "text", "text": "a"}]}),
            {
                "name": "order_1",
                "language": {"code": "en_US"},
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "a"}]}],
            },
        ),
        (
            message(
                "template",
                {
                    "name": "order_1",
                    "language": {"code": "en_US", "policy": "deterministic"},
                    "components": [
                        {"type": "BUTTON", "sub_type": "COPY_CODE", "index": 1, "parameters": []},
                        {"type": "novelty", "parameters": [{"type": "novelty", "novelty": {"a": 1}}]},
                    ],
                },
            ),
            {
                "name": "order_1",
                "language": {"code": "en_US", "policy": "deterministic"},
                "components": [
                    {"type": "button", "sub_type": "copy_code", "index": "1", "parameters": []},
                    {"type": "novelty", "parameters": [{"type": "novelty", "novelty": {"a": 1}}]},
                ],
            },
        ),
        (
            interactive(
                "list", {"button": "b", "sections": [{"rows": [{"id": "1", "title": "t", "description": ""}]}]}
            ),
            {
                "type": "list",
                "body": {"text": "b"},
                "action": {"button": "b", "sections": [{"rows": [{"id": "1", "title": "t"}]}]},
            },
        ),
        (
            interactive("location_request_message", {"parameters": {"request_message": "where?"}}, footer=None),
            {
                "type": "location_request_message",
                "body": {"text": "b"},
                "action": {"name": "send_location", "parameters": {"request_message": "where?"}},
            },
        ),
    ],
)
def test_what_real_clients_send_is_taken_and_put_in_order(raw: dict[str, Any], expected: Any) -> None:
    assert parse_content(raw).payload[raw["type"]] == expected


def test_a_type_in_capitals_is_the_same_type() -> None:
    assert parse_content({"to": TO, "type": "IMAGE", "image": {"id": "1"}}).kind == "image"


# --- limits


def buttons(*pairs: tuple[str, str]) -> dict[str, Any]:
    return interactive("button", {"buttons": [{"type": "reply", "reply": {"id": i, "title": t}} for i, t in pairs]})


def rows(*counts: int, title: str | None = "t") -> dict[str, Any]:
    sections = [
        {"title": title, "rows": [{"id": f"{n}.{m}", "title": "t"} for m in range(count)]}
        for n, count in enumerate(counts)
    ]
    return interactive("list", {"button": "b", "sections": sections})


def products(*counts: int) -> dict[str, Any]:
    sections = [
        {"title": "t", "product_items": [{"product_retailer_id": f"{n}.{m}"} for m in range(count)]}
        for n, count in enumerate(counts)
    ]
    action = {"catalog_id": "1", "sections": sections}
    return interactive("product_list", action, header={"type": "text", "text": "h"})


def cards(*headers: str, text: str = "t") -> dict[str, Any]:
    made = [{"header": {"type": h, h: {"id": "1"}}, "body": {"text": text}, "action": {}} for h in headers]
    return interactive("carousel", {"cards": made})


ACTION = "interactive.action"


@pytest.mark.parametrize(
    ("raw", "paths", "code"),
    [
        (message("text", {"body": "x" * 4097}), ["text.body"], 100),
        (message("text", {"body": ""}), ["text.body"], 100),
        (message("text", {}), ["text.body"], 131008),
        (message("text", {"body": {"$ne": ""}}), ["text.body"], 100),
        (message("text", {"body": True}), ["text.body"], 100),
        (message("text", "hola"), ["text"], 100),
        (message("text", {"body": "a\x00b"}), ["text.body"], 100),
        (message("text", {"body": "\ud83d"}), ["text.body"], 100),
        (message("text", {"body": "x", "preview_url": "maybe"}), ["text.preview_url"], 131009),
        ({"to": TO, "type": "text"}, ["text"], 131008),
        ({"to": TO, "type": "image", "text": {"body": "x"}}, ["image"], 131008),
        ({"to": TO, "type": "voice", "voice": {"id": "1"}}, ["type"], 131051),
        ({"to": TO, "type": {"$ne": ""}, "text": {"body": "x"}}, ["type"], 100),
        (message("image", {}), ["image"], 131008),
        (message("image", {"id": "1", "link": LINK}), ["image"], 131009),
        (message("image", {"link": "file:///etc/passwd"}), ["image.link"], 131009),
        (message("image", {"link": "https://"}), ["image.link"], 131009),
        (message("image", {"link": "http://[::1"}), ["image.link"], 131009),
        (message("image", {"link": LINK, "caption": "x" * 1025}), ["image.caption"], 131009),
        (message("image", {"id": {"$gt": ""}}), ["image.id"], 100),
        (message("location", {"latitude": 91, "longitude": "x"}), ["location.latitude", "location.longitude"], 131009),
        (message("location", {"latitude": "nan", "longitude": 0}), ["location.latitude"], 131009),
        (message("location", {}), ["location.latitude", "location.longitude"], 131008),
        (message("contacts", []), ["contacts"], 131009),
        (message("contacts", [{"name": {"formatted_name": "A"}}] * 258), ["contacts"], 131009),
        (message("contacts", [{"name": {}}]), ["contacts[0].name.formatted_name"], 131008),
        (message("contacts", "[broken"), ["contacts"], 100),
        (message("reaction", {"emoji": "👍"}), ["reaction.message_id"], 131008),
        (message("interactive", []), ["interactive"], 100),
        (message("interactive", {}), ["interactive.type"], 131008),
        (interactive("carousal", {}), ["interactive.type"], 131009),
        (interactive("button", {"buttons": []}), [f"{ACTION}.buttons"], 131009),
        (buttons(*[(str(n), str(n)) for n in range(4)]), [f"{ACTION}.buttons"], 131009),
        (buttons(("a", "x"), ("a", "y")), [ACTION], 131009),
        (buttons(("a", "x"), ("b", "x")), [ACTION], 131009),
        (buttons(("a", "t" * 21)), [f"{ACTION}.buttons[0].reply.title"], 131009),
        (buttons(("i" * 257, "t")), [f"{ACTION}.buttons[0].reply.id"], 131009),
        (buttons((" a", "t")), [f"{ACTION}.buttons[0].reply"], 131009),
        (interactive("button", {"buttons": [{"type": "reply"}]}), [f"{ACTION}.buttons[0].reply"], 131008),
        (rows(10), [], 0),
        (rows(11), [ACTION], 131009),
        (rows(6, 5), [ACTION], 131009),
        (rows(1, 1, title=None), [ACTION], 131008),
        (rows(*[1] * 11), [f"{ACTION}.sections"], 131009),
        (rows(1, title="t" * 25), [f"{ACTION}.sections[0].title"], 131009),
        (
            interactive("list", {"button": "b" * 21, "sections": [{"rows": [{"id": "i" * 201, "title": "t" * 25}]}]}),
            [f"{ACTION}.button", f"{ACTION}.sections[0].rows[0].id", f"{ACTION}.sections[0].rows[0].title"],
            131009,
        ),
        (
            interactive("list", {"button": "b", "sections": [{"rows": [{"id": "1", "title": "t"}] * 2}]}),
            [ACTION],
            131009,
        ),
        (
            interactive(
                "list",
                {"button": "b", "sections": [{"rows": [{"id": "1", "title": "t"}]}]},
                header={"type": "image", "image": {"id": "1"}},
            ),
            ["interactive"],
            131009,
        ),
        (
            message(
                "interactive",
                {
                    "type": "button",
                    "body": {"text": "x" * 1025},
                    "header": {"type": "text", "text": "x" * 61},
                    "footer": {"text": "x" * 61},
                    "action": {"buttons": [{"type": "reply", "reply": {"id": "a", "title": "t"}}]},
                },
            ),
            ["interactive.header.text", "interactive.body.text", "interactive.footer.text"],
            131009,
        ),
        (interactive("cta_url", {"parameters": {"display_text": "x" * 21, "url": "javascript:alert(1)"}}),
         [f"{ACTION}.parameters.display_text", f"{ACTION}.parameters.url"], 131009),
        (interactive("cta_url", {}, header={"type": "image"}), ["interactive.header", f"{ACTION}.parameters"], 131008),
        (interactive("cta_url", {"parameters": {"display_text": "x", "url": LINK}}, header={"type": "audio"}),
         ["interactive.header"], 131009),
        (interactive("flow", {"parameters": {"flow_cta": "x"}}), [f"{ACTION}.parameters"], 131008),
        (interactive("flow", {"parameters": {"flow_cta": "x", "flow_id": "1", "flow_name": "n"}}),
         [f"{ACTION}.parameters"], 131009),
        (interactive("flow", {"parameters": {"flow_cta": "x" * 31, "flow_id": "1"}}),
         [f"{ACTION}.parameters.flow_cta"], 131009),
        (interactive("product", {}), [f"{ACTION}.catalog_id", f"{ACTION}.product_retailer_id"], 131008),
        (interactive("product", {"catalog_id": "1", "product_retailer_id": "2"}, header={"type": "text", "text": "h"}),
         ["interactive"], 131009),
        (products(30), [], 0),
        (products(16, 15), [ACTION], 131009),
        (products(*[1] * 11), [f"{ACTION}.sections"], 131009),
        (interactive("product_list", {"catalog_id": "1", "sections": [{"product_items": [SKU]}]}),
         ["interactive"], 131008),
        (cards("image"), [f"{ACTION}.cards"], 131009),
        (cards(*["image"] * 11), [f"{ACTION}.cards"], 131009),
        (cards("image", "video"), [ACTION], 131009),
        (cards("image", "image", text="x" * 161), [f"{ACTION}.cards[{n}].body.text" for n in range(2)], 131009),
        (cards("image", "image", text="\n\n\n"), [f"{ACTION}.cards[{n}].body" for n in range(2)], 131009),
        (message("template", {}), ["template.name", "template.language"], 131008),
        (message("template", {"name": "Order 1", "language": {"code": "en_US"}}), ["template.name"], 132001),
        (message("template", {"name": "x" * 513, "language": {"code": "en"}}), ["template.name"], 132001),
        (message("template", {"name": "x", "language": "en"}), ["template.language"], 100),
        (template({"parameters": []}), ["template.components[0].type"], 131008),
        (template({"type": "body", "parameters": [{"type": "text"}]}),
         ["template.components[0].parameters[0]"], 131008),
        (template({"type": "button", "index": "0"}), ["template.components[0]"], 131008),
        (template({"type": "button", "sub_type": "url"}), ["template.components[0]"], 131008),
        (template({"type": "carousel"}), ["template.components[0]"], 131008),
        (template({"type": "header", "parameters": [{"type": "image", "image": {}}]}),
         ["template.components[0].parameters[0].image"], 131008),
        (template({"type": "button", "sub_type": "copy_code", "index": 0,
                   "parameters": [{"type": "coupon_code", "coupon_code": "x" * 16}]}),
         ["template.components[0].parameters[0].coupon_code"], 131009),
        (template({"type": "body", "parameters": [{"type": "text", "text": "a\x00"}]}),
         ["template.components[0].parameters[0].text"], 100),
        (template({"type": "novelty", "parameters": [{"type": "novelty", "n": 2**63}]}),
         ["template.components[0].parameters[0].n"], 100),
        (template({"type": "novelty", "a\x00": 1}), ["template.components[0]"], 100),
    ],
)  # fmt: skip
def test_a_part_past_its_limit_is_told_with_its_path_and_code(raw: dict[str, Any], paths: list[str], code: int) -> None:
    if not paths:
        parse_content(raw)
        return
    assert faults(raw) == (paths, code)


def test_json_that_is_too_deep_for_the_database_is_refused() -> None:
    deep: Any = {}
    for _ in range(40):
        deep = {"a": deep}
    parameters = {"flow_id": "1", "flow_cta": "x", "flow_action_payload": {"screen": "S", "data": deep}}
    paths, code = faults(interactive("flow", {"parameters": parameters}))
    assert code == 100
    assert len(paths) == 1
    assert paths[0].startswith("interactive.action.parameters.flow_action_payload.data.a.a")


# --- what becomes a link in the console


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_of_a_file_only_what_was_checked_is_kept(kind: str) -> None:
    part = {"id": "123", "url_local": "javascript:alert(1)", "url": "https://evil.test/", "x": {"y": 1}}
    assert parse_content(message(kind, part)).payload == {"type": kind, kind: {"id": "123"}}


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "JavaScript:x", " javascript:x", "java\tscript:x", "\x01javascript:x", "vbscript:x"]
)
def test_no_unknown_field_holds_the_address_of_a_script(text: str) -> None:
    for part in ({"body": "x", "url_local": text}, {"body": "x", "new": {"deep": [{"url": text}]}}):
        paths, _ = faults(message("text", part))
        assert paths == ["text"]


def test_unknown_fields_of_other_parts_go_on_as_they_come() -> None:
    new = {"body": "x", "tomorrow": {"a": [1, "https://x.test/"]}}
    assert parse_content(message("text", new)).payload["text"] == new
