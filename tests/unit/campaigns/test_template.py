import pytest

from services.campaigns.template import MissingVariables, fill

TEMPLATE = {
    "name": "promo",
    "language": {"code": "es"},
    "components": [
        {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://example.net/{{sku}}.png"}}]},
        {
            "type": "body",
            "parameters": [{"type": "text", "text": "{{ name | friend }}"}, {"type": "text", "text": "{{code}}"}],
        },
        {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "{{1}}-{{1}}"}]},
    ],
}


def test_variables_stand_anywhere_in_the_template() -> None:
    filled = fill(TEMPLATE, {"sku": "a7", "name": "Ana\n\tMaría ", "code": "X", "1": "b"})
    header, body, button = filled["components"]
    assert header["parameters"][0]["image"]["link"] == "https://example.net/a7.png"
    assert [parameter["text"] for parameter in body["parameters"]] == ["Ana María", "X"]
    assert button["parameters"][0]["text"] == "b-b"
    assert button["index"] == 0
    assert TEMPLATE["components"][1]["parameters"][1]["text"] == "{{code}}"  # type: ignore[index]


def test_a_default_stands_in_for_what_somebody_lacks() -> None:
    filled = fill(TEMPLATE, {"sku": "a7", "code": "X", "1": "b", "name": "  "})
    assert filled["components"][1]["parameters"][0]["text"] == "friend"


def test_what_is_missing_is_named_once_in_the_order_of_the_template() -> None:
    with pytest.raises(MissingVariables) as missing:
        fill(TEMPLATE, {"name": "Ana"})
    assert missing.value.names == ["sku", "code", "1"]


def test_a_value_is_text_and_never_read_again() -> None:
    assert fill({"text": "{{a}}"}, {"a": "{{b}}", "b": "no"}) == {"text": "{{b}}"}
