"""Does a message fit its template? With the codes and the words that WhatsApp would answer."""

from dataclasses import replace
from typing import Any

import pytest

from services.templates.matching import absent, template_faults, variables_of
from services.templates.records import Template, TemplateStatus, template_status

COMPONENTS: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "Hola {{1}}, tu pedido {{2}} va. {{1}}"},
    {"type": "FOOTER", "text": "Hasta luego"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "QUICK_REPLY", "text": "Gracias"},
            {"type": "URL", "text": "Ver", "url": "https://example.com/{{1}}"},
            {"type": "COPY_CODE"},
        ],
    },
]


def template(components: list[dict[str, Any]] | None = None, **more: Any) -> Template:
    facts = {"id": "1", "waba_id": "2", "name": "order", "language": "es", "category": "UTILITY"}
    state = {"status": TemplateStatus.APPROVED, "raw_status": "APPROVED"}
    return Template(**{**facts, **state, "components": COMPONENTS if components is None else components, **more})


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


IMAGE = {"type": "HEADER", "parameters": [{"type": "IMAGE", "image": {"link": "https://example.com/a.png"}}]}
BODY = {"type": "body", "parameters": [text("Ana"), text("7")]}
URL = {"type": "button", "sub_type": "url", "index": "1", "parameters": [text("42")]}
CODE = {
    "type": "button",
    "sub_type": "copy_code",
    "index": "2",
    "parameters": [{"type": "coupon_code", "coupon_code": "25OFF"}],
}
GOOD = [IMAGE, BODY, URL, CODE]


def codes(components: list[dict[str, Any]], known: Template | None = None) -> list[tuple[int, str]]:
    faults = template_faults(known or template(), {"name": "order", "components": components})
    return [(fault.graph_code, fault.path) for fault in faults]


def test_a_message_that_fits_has_no_faults() -> None:
    assert codes(GOOD) == []


def body(*parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """A message whose body alone is unusual."""
    return [IMAGE, {**BODY, "parameters": list(parameters)}, URL, CODE]


ROOT = "template.components"


@pytest.mark.parametrize(
    ("components", "found"),
    [
        ([BODY, URL, CODE], [(132012, ROOT)]),
        ([{**IMAGE, "parameters": [text("x")]}, BODY, URL, CODE], [(132012, f"{ROOT}[0]")]),
        (body(text("x")), [(132000, f"{ROOT}[1]")]),
        ([IMAGE, URL, CODE], [(132000, ROOT)]),
        ([IMAGE, BODY, CODE], [(131008, ROOT)]),
        ([IMAGE, BODY, URL], [(131008, ROOT)]),
        ([*GOOD, {**URL, "index": "7"}], [(132018, f"{ROOT}[4].index")]),
        (body(text("a\nb"), text("7")), [(132018, f"{ROOT}[1].parameters[0]")]),
        (body(text("a" * 1100), text("7")), [(132005, f"{ROOT}[1]")]),
        (body({"type": "image"}, text("7")), [(132012, f"{ROOT}[1].parameters[0]")]),
        ([], [(132012, ROOT), (132000, ROOT), (131008, ROOT), (131008, ROOT)]),
    ],
)
def test_each_misfit_has_its_code_and_its_place(components: list[dict[str, Any]], found: list[tuple[int, str]]) -> None:
    assert codes(components) == found


def test_the_words_are_those_of_whatsapp() -> None:
    [fault] = template_faults(
        template(), {"components": [IMAGE, {"type": "body", "parameters": [text("x")]}, URL, CODE]}
    )
    assert fault.reason == "body: number of localizable_params (1) does not match the expected number of params (2)"
    assert absent("x", "en").reason == "template name (x) does not exist in en"


def test_money_and_dates_stand_for_text() -> None:
    money = {"type": "currency", "currency": {"fallback_value": "$1", "code": "USD", "amount_1000": 1000}}
    date = {"type": "date_time", "date_time": {"fallback_value": "today"}}
    assert codes([IMAGE, {**BODY, "parameters": [money, date]}, URL, CODE]) == []


def test_named_parameters_must_be_the_templates() -> None:
    named = template([{"type": "BODY", "text": "Hola {{name}}"}], parameter_format="NAMED")
    assert codes([{"type": "body", "parameters": [text("Ana", parameter_name="name")]}], named) == []
    assert codes([{"type": "body", "parameters": [text("Ana", parameter_name="nome")]}], named) == [
        (100, "template.components[0]")
    ]


def test_cards_are_compared_one_by_one() -> None:
    card = {"components": [{"type": "BODY", "text": "Card {{1}}"}]}
    carousel = template([{"type": "CAROUSEL", "cards": [card, card]}])
    sent = {"components": [{"type": "body", "parameters": [text("x")]}]}
    assert codes([{"type": "carousel", "cards": [sent, sent]}], carousel) == []
    assert codes([{"type": "carousel", "cards": [sent]}], carousel) == [(132012, "template.components[0]")]
    assert codes([{"type": "carousel", "cards": [sent, {"components": []}]}], carousel) == [
        (132000, "template.components[0].cards[1].components")
    ]


@pytest.mark.parametrize(
    ("status", "code"), [("PAUSED", 132015), ("DISABLED", 132016), ("PENDING", 132001), ("REJECTED", 132001)]
)
def test_a_template_that_may_not_be_sent_says_why(status: str, code: int) -> None:
    known = template(status=template_status(status), raw_status=status)
    assert [found for found, _ in codes(GOOD, known)] == [code]


def test_what_is_not_known_is_not_checked() -> None:
    assert template_faults(replace(template(), components=None), {"components": []}) == []
    assert codes(GOOD, template(status=TemplateStatus.UNKNOWN, raw_status="NEW_WORD")) == []


def test_variables_are_counted_once() -> None:
    assert variables_of("{{1}} {{ 2 }} {{1}}") == ["1", "2"]
    assert variables_of("none {1}") == []
