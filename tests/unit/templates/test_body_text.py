"""What a template message says, as its reader sees it."""

from typing import Any

import pytest

from services.templates.body_text import body_text


def body(text: str) -> list[dict[str, Any]]:
    return [{"type": "HEADER", "format": "TEXT", "text": "Aviso"}, {"type": "BODY", "text": text}]


def sent(*parameters: dict[str, Any]) -> dict[str, Any]:
    return {"name": "order", "components": [{"type": "body", "parameters": list(parameters)}]}


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


@pytest.mark.parametrize(
    ("template", "message", "said"),
    [
        ("Hola {{1}}, pedido {{ 2 }}.", sent(text("Ana"), text("#7")), "Hola Ana, pedido #7."),
        ("Hola {{name}}.", sent(text("Ana", parameter_name="name")), "Hola Ana."),
        ("Son {{1}}.", sent({"type": "currency", "currency": {"fallback_value": "$ 10"}}), "Son $ 10."),
        ("El {{1}}.", sent({"type": "date_time", "date_time": {"fallback_value": "lunes"}}), "El lunes."),
        ("Hola {{1}} {{2}} {{0}}.", sent(text("Ana")), "Hola Ana {{2}} {{0}}."),
        ("Hola.", {"name": "order"}, "Hola."),
        ("Hola {{1}}.", sent(text("\\1 {{1}}")), "Hola \\1 {{1}}."),
    ],
)
def test_the_body_has_the_variables_in_it(template: str, message: dict[str, Any], said: str) -> None:
    assert body_text(body(template), message) == said


@pytest.mark.parametrize("components", [None, [], [{"type": "BODY"}], [{"type": "FOOTER", "text": "x"}]])
def test_without_a_body_there_is_nothing_to_say(components: list[dict[str, Any]] | None) -> None:
    assert body_text(components, sent(text("Ana"))) is None
