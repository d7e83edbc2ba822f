"""A template send against the catalogue: it exists, may be sent, and gets the parameters that it has.

Process: sandbox.

Source: Meta, "Error codes" 132xxx; wording of `details` from captured answers.
"""

import re

from services.sandbox.checks.template import kind_of, parameters_of
from services.sandbox.wire.faults import GraphFault, absent
from services.sandbox.wire.shapes import Json
from services.sandbox.world.world import World

VARIABLE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
BODY_CHARS = 1024
MEDIA_FORMATS = ("image", "video", "document", "location")
_UNSENDABLE_TEXT = re.compile(r"[\n\r\t]| {5,}")
_NEEDS_PARAMETER = {"copy_code": "CopyCode", "otp": "Url", "coupon_code": "CopyCode"}


def template_in_use(world: World, waba_id: str, template: Json) -> Json:
    """The template that a message names. GraphFault 132001 and its family where it cannot be sent like this."""
    name, language = template["name"], template["language"]["code"]
    found = find_template(world, waba_id, name, language)
    if found is None or found["status"] not in ("APPROVED", "PAUSED", "DISABLED", "FLAGGED"):
        raise GraphFault(132001, f"template name ({name}) does not exist in {language}")
    if found["status"] == "PAUSED":
        raise GraphFault(132015)
    if found["status"] == "DISABLED":
        raise GraphFault(132016)
    given = template.get("components") or []
    named = found.get("parameter_format") == "NAMED"
    _match_components(found.get("components") or [], given, named=named)
    return found


def find_template(world: World, waba_id: str, name: str, language: str) -> Json | None:
    """By its name and language, the pair that is unique in an account."""
    for _, template in world.templates.items():
        if template["name"] == name and template["language"] == language and template["waba"] == waba_id:
            return template
    return None


def variables_of(text: str) -> list[str]:
    """The different variables of a text, in order: `["1", "2"]` or names."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


def _match_components(created: list[Json], given: list[Json], *, named: bool) -> None:
    parts = {str(part.get("type", "")).lower(): part for part in created}
    sent = {kind_of(part): part for part in given if kind_of(part) != "button"}
    _match_header(parts.get("header"), sent.get("header"), named=named)
    body = parts.get("body", {}).get("text", "")
    parameters = parameters_of(sent.get("body", {}))
    _match_texts("body", body, parameters, named=named)
    _match_buttons(parts.get("buttons", {}).get("buttons") or [], [one for one in given if kind_of(one) == "button"])
    cards, sent_cards = parts.get("carousel", {}).get("cards") or [], sent.get("carousel", {}).get("cards") or []
    if len(cards) != len(sent_cards):
        raise GraphFault(132012, f"carousel: expected {len(cards)} cards, received {len(sent_cards)}")
    for card, sent_card in zip(cards, sent_cards, strict=True):
        _match_components(card.get("components") or [], sent_card.get("components") or [], named=named)


def _match_header(created: Json | None, given: Json | None, *, named: bool) -> None:
    parameters = parameters_of(given or {})
    form = str((created or {}).get("format", "TEXT")).lower()
    if created is None or form == "text":
        _match_texts("header", (created or {}).get("text", ""), parameters, named=named)
        return
    received = str(parameters[0].get("type", "")).lower() if parameters else "unknown"
    if form in MEDIA_FORMATS and received != form:
        raise GraphFault(132012, f"header: Format mismatch, expected {form.upper()}, received {received.upper()}")


def _match_texts(where: str, text: str, parameters: list[Json], *, named: bool) -> None:
    wanted = variables_of(text)
    if len(parameters) != len(wanted):
        raise GraphFault(
            132000,
            f"{where}: number of localizable_params ({len(parameters)}) does not match the expected number of params "
            f"({len(wanted)})",
        )
    if named:
        names = [parameter.get("parameter_name") for parameter in parameters]
        if sorted(map(str, names)) != sorted(wanted):
            raise GraphFault(100, f"{where}: Parameter name is missing or empty, or not one of {', '.join(wanted)}")
    length = len(text)
    for variable, parameter in zip(wanted, parameters, strict=True):
        value = _text_of(where, parameter)
        length += len(value) - len(variable) - 4
    if length > BODY_CHARS:
        raise GraphFault(132005, f"{where}: the text with its parameters is longer than {BODY_CHARS} characters")


def _text_of(where: str, parameter: Json) -> str:
    kind = str(parameter.get("type", "")).lower()
    if kind not in ("text", "currency", "date_time"):
        raise GraphFault(132012, f"{where}: Format mismatch, expected TEXT, received {kind.upper()}")
    value = str(parameter["text"] if kind == "text" else parameter[kind]["fallback_value"])
    if _UNSENDABLE_TEXT.search(value):
        raise GraphFault(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
    return value


def _match_buttons(created: list[Json], given: list[Json]) -> None:
    by_index = {int(button["index"]): button for button in given}
    for index in by_index:
        if index >= len(created):
            raise GraphFault(132018, f"buttons: Button at index {index} does not exist in the template")
    for index, button in enumerate(created):
        kind = str(button.get("type", "")).lower()
        is_variable_url = kind == "url" and bool(VARIABLE.search(button.get("url", "")))
        if not is_variable_url and kind not in _NEEDS_PARAMETER:
            continue
        if not parameters_of(by_index.get(index, {})):
            named = _NEEDS_PARAMETER.get(kind, "Url")
            raise absent(f"buttons: Button at index {index} of type {named} requires a parameter")
