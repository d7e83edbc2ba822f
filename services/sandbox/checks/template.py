"""A template message by itself: name, language, and components whose parameters have the form of their type.

Process: sandbox.

Whether the template exists and wants these parameters is asked of the catalogue (`graph.templates_match`).
Source: Meta, "Template messages" (2025-12). Types are compared without regard to case: real clients send both.
"""

from typing import Any

from config.digits import whole_number_in
from services.sandbox.checks.fields import object_of, objects_of, text_of
from services.sandbox.checks.simple import check_location, check_media
from services.sandbox.wire.faults import GraphFault, absent, invalid
from services.sandbox.wire.shapes import Json

COMPONENTS = ("header", "body", "footer", "button", "limited_time_offer", "carousel", "order_status", "tap_target")
NAME_CHARS = 512
COPY_CODE_CHARS = 20
TEXT_KINDS = ("text", "currency", "date_time")
PLAIN_KEYS = {
    "text": "text",
    "payload": "payload",
    "coupon_code": "coupon_code",
}
OBJECT_KINDS = (
    "action",
    "limited_time_offer",
    "order_status",
    "order_details",
    "product",
    "tap_target_configuration",
    "ttl_minutes",
)


def check_template(content: Any) -> Json:
    """GraphFault names the first thing that is wrong."""
    template = object_of(content, "template")
    text_of(template, "name", where="template", most=NAME_CHARS)
    language = object_of(template.get("language"), "template['language']")
    text_of(language, "code", where="template['language']")
    for at, component in enumerate(objects_of(template.get("components"), "components")):
        _check_component(component, f"components[{at}]")
    return template


def kind_of(component: Json) -> str:
    """The component's type in lower case."""
    return str(component.get("type", "")).lower()


def parameters_of(component: Json) -> list[Json]:
    """Its parameters, an empty list where it has none."""
    return component.get("parameters") or []


def media_of(template: Json) -> list[tuple[str, Json]]:
    """Every media parameter inside, with its kind."""
    found = []
    for component in _with_cards(template.get("components") or []):
        for parameter in parameters_of(component):
            kind = str(parameter.get("type", "")).lower()
            if kind in ("image", "video", "document") and isinstance(parameter.get(kind), dict):
                found.append((kind, parameter[kind]))
    return found


def _with_cards(components: list[Json]) -> list[Json]:
    found = list(components)
    for component in components:
        for card in component.get("cards") or []:
            found.extend(card.get("components") or [])
    return found


def _check_component(component: Json, where: str) -> None:
    kind = kind_of(component)
    if kind not in COMPONENTS:
        listed = ", ".join(COMPONENTS)
        raise GraphFault(100, f"Param {where}['type'] must be one of {{{listed}}} - got \"{component.get('type')}\".")
    if kind == "carousel":
        for at, card in enumerate(objects_of(component.get("cards"), f"{where}['cards']", least=1, most=10)):
            parts = objects_of(card.get("components"), f"{where}['cards'][{at}]['components']")
            for part_at, part in enumerate(parts):
                _check_component(part, f"{where}['cards'][{at}]['components'][{part_at}]")
        return
    if kind == "button":
        _check_button(component, where)
    for at, parameter in enumerate(objects_of(component.get("parameters"), f"{where}['parameters']")):
        _check_parameter(parameter, f"{where}['parameters'][{at}]")


def _check_button(component: Json, where: str) -> None:
    if not component.get("sub_type"):
        raise absent(f"{where}['sub_type'] is required with a button.")
    index = str(component.get("index", ""))
    if whole_number_in(index, most=9) is None:
        raise invalid(f"{where}['index'] must be a number from 0 to 9.")


def _check_parameter(parameter: Json, where: str) -> None:
    kind = str(parameter.get("type", "")).lower()
    if kind in PLAIN_KEYS:
        key = PLAIN_KEYS[kind]
        text = text_of(parameter, key, where=where)
        if kind == "coupon_code" and len(text) > COPY_CODE_CHARS:
            raise invalid(f"{where}['coupon_code'] must be at most {COPY_CODE_CHARS} characters long.")
    elif kind in ("currency", "date_time"):
        value = object_of(parameter.get(kind), f"{where}['{kind}']")
        text_of(value, "fallback_value", where=f"{where}['{kind}']")
    elif kind in ("image", "video", "document"):
        check_media(parameter.get(kind), kind)
    elif kind == "location":
        check_location(parameter.get("location"))
    elif kind not in OBJECT_KINDS:
        raise GraphFault(100, f"Param {where}['type'] has an unknown value \"{parameter.get('type')}\".")
