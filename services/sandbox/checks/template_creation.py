"""A template as somebody creates it: name, category and components with Meta's lengths and counts.

Process: sandbox.

Source: Meta, "Message templates" and "Template components" (2025-12); subcodes of code 100 from "Error codes".
"""

import re
from collections import Counter
from typing import Any

from services.sandbox.checks.fields import choice_of, object_of, objects_of
from services.sandbox.wire.faults import GraphFault, missing
from services.sandbox.wire.shapes import Json

CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
FORMATS = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
KINDS = ("HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST")
NAME = re.compile(r"[a-z0-9_]{1,512}")
TEXT_CHARS = {"HEADER": 60, "BODY": 1024, "FOOTER": 60}
TOO_LONG = 2388040
WRONG_HEADER = 2388047
BUTTONS_MOST = 10
MOST_OF_A_KIND = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "FLOW": 1, "OTP": 1}
_VARIABLE = re.compile(r"\{\{[^{}]*\}\}")
_EDGE_VARIABLE = re.compile(r"^\s*\{\{[^{}]*\}\}|\{\{[^{}]*\}\}\s*$")


def check_creation(body: Json) -> Json:
    """The template without id and status. GraphFault with Meta's subcode where it has one."""
    for key in ("name", "language", "category"):
        if not body.get(key):
            raise missing(key)
    name = str(body["name"])
    if not NAME.fullmatch(name):
        raise GraphFault(100, "Param name may have lower-case letters, digits and underscores, 512 in all.")
    return {
        "name": name,
        "language": str(body["language"]),
        "category": category_of(body["category"]),
        "parameter_format": str(body.get("parameter_format") or "POSITIONAL").upper(),
        "components": check_components(body.get("components"), category=category_of(body["category"])),
    }


def category_of(value: Any) -> str:
    return choice_of({"category": str(value).upper()}, "category", where="template", among=CATEGORIES)


def check_components(value: Any, *, category: str) -> list[Json]:
    """Components with types in capitals."""
    components = []
    for at, part in enumerate(objects_of(value, "components")):
        kind = str(part.get("type", "")).upper()
        choice_of({"type": kind}, "type", where=f"components[{at}]", among=KINDS)
        components.append({**part, "type": kind})
    kinds = [part["type"] for part in components]
    if len(set(kinds)) != len(kinds):
        raise GraphFault(100, "Each kind of component may come once.")
    if "BODY" not in kinds:
        raise GraphFault(100, "A template needs a component of the type BODY.")
    for part in components:
        _check_part(part, category)
    return components


def _check_part(part: Json, category: str) -> None:
    kind = part["type"]
    if kind == "HEADER":
        part["format"] = str(part.get("format", "")).upper()
        choice_of(part, "format", where="header", among=FORMATS)
    text = part.get("text")
    is_text = kind in ("BODY", "FOOTER") or part.get("format") == "TEXT"
    if kind in TEXT_CHARS and is_text and not (category == "AUTHENTICATION" and text is None):
        _check_text(kind, text)
    if kind == "BUTTONS":
        _check_buttons(part)
    if kind == "CAROUSEL":
        for at, card in enumerate(objects_of(part.get("cards"), "cards", least=2, most=10)):
            objects_of(object_of(card, f"cards[{at}]").get("components"), f"cards[{at}]['components']", least=1)


def _check_text(kind: str, text: Any) -> None:
    if not isinstance(text, str) or not text:
        raise missing(f"{kind.lower()}['text']")
    if len(text) > TEXT_CHARS[kind]:
        raise GraphFault(100, f"{kind}: at most {TEXT_CHARS[kind]} characters.", subcode=TOO_LONG)
    variables = len(_VARIABLE.findall(text))
    if kind == "HEADER" and variables > 1:
        raise GraphFault(100, "HEADER: at most one variable.", subcode=WRONG_HEADER)
    if kind == "FOOTER" and variables:
        raise GraphFault(100, "FOOTER: no variables.", subcode=2388073)
    if kind == "BODY" and _EDGE_VARIABLE.search(text):
        raise GraphFault(100, "BODY: variables can't be at the start or end of the template.", subcode=2388299)


def _check_buttons(part: Json) -> None:
    buttons = objects_of(part.get("buttons"), "buttons", least=1, most=BUTTONS_MOST)
    for button in buttons:
        button["type"] = str(button.get("type", "")).upper()
        if len(str(button.get("text") or "")) > 25:
            raise GraphFault(100, "BUTTONS: the text of a button has at most 25 characters.", subcode=TOO_LONG)
    for kind, count in Counter(button["type"] for button in buttons).items():
        if count > MOST_OF_A_KIND.get(kind, BUTTONS_MOST):
            raise GraphFault(100, f"BUTTONS: at most {MOST_OF_A_KIND[kind]} of the type {kind}.")
