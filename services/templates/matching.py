"""Does a template message fit the template that it names? Pure rules, with the codes and words that Meta answers.

Process: worker.

Source: Meta, "Error codes" 132xxx (2026-09-11); the wording of details from captured answers.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from services.messages import ContentFault
from services.templates.records import Template, TemplateStatus

MISSING_PARAMETER: Final = 131008
COUNT_WRONG: Final = 132000
NO_SUCH_TEMPLATE: Final = 132001
TOO_LONG: Final = 132005
FORMAT_WRONG: Final = 132012
PAUSED: Final = 132015
DISABLED: Final = 132016
NOT_VALID: Final = 132018
INVALID_PARAMETER: Final = 100

BODY_CHARS: Final = 1024
_VARIABLE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
_UNSENDABLE = re.compile(r"[\n\r\t]| {5,}")
_TEXT_TYPES: Final = ("text", "currency", "date_time")
_MEDIA_FORMATS: Final = ("image", "video", "document", "location")
_NEEDS_PARAMETER: Final = {"copy_code": "CopyCode", "otp": "Url"}

Json = Mapping[str, Any]


def absent(name: str, language: str) -> ContentFault:
    """There is no such template in this language, or it may not be sent."""
    return ContentFault("template.name", f"template name ({name}) does not exist in {language}", NO_SUCH_TEMPLATE)


def template_faults(template: Template, sent: Json) -> list[ContentFault]:
    """Everything that would make WhatsApp refuse it; what is not known of the template is not looked at."""
    if template.status is TemplateStatus.PAUSED:
        return [ContentFault("template.name", "the template is paused, for its quality", PAUSED)]
    if template.status is TemplateStatus.DISABLED:
        return [ContentFault("template.name", "the template is disabled, for its quality", DISABLED)]
    if template.status not in (TemplateStatus.APPROVED, TemplateStatus.UNKNOWN):
        return [absent(template.name, template.language)]
    if template.components is None:
        return []
    is_named = (template.parameter_format or "").upper() == "NAMED"
    return list(_components(template.components, sent.get("components") or [], is_named, "template.components"))


def _components(created: Sequence[Json], given: Sequence[Json], is_named: bool, path: str) -> Iterator[ContentFault]:
    made = {_word(part.get("type")): part for part in created}
    sent = {_word(part.get("type")): (position, part) for position, part in enumerate(given) if _is_no_button(part)}
    yield from _header(made.get("header", {}), sent.get("header"), is_named, path)
    yield from _texts("body", made.get("body", {}), sent.get("body"), is_named, path)
    buttons = made.get("buttons", {}).get("buttons") or []
    pressed = [(position, part) for position, part in enumerate(given) if not _is_no_button(part)]
    yield from _buttons(buttons, pressed, path)
    yield from _cards(made.get("carousel", {}), sent.get("carousel"), is_named, path)


def _header(made: Json, sent: tuple[int, Json] | None, is_named: bool, path: str) -> Iterator[ContentFault]:
    form = _word(made.get("format")) or "text"
    if form not in _MEDIA_FORMATS:
        yield from _texts("header", made, sent, is_named, path)
        return
    given = _parameters(sent)
    received = _word(given[0].get("type")) if given else "unknown"
    if received != form:
        reason = f"header: Format mismatch, expected {form.upper()}, received {received.upper()}"
        yield ContentFault(_at(path, sent), reason, FORMAT_WRONG)


def _texts(where: str, made: Json, sent: tuple[int, Json] | None, is_named: bool, path: str) -> Iterator[ContentFault]:
    text = str(made.get("text") or "")
    wanted, given, here = variables_of(text), _parameters(sent), _at(path, sent)
    if len(given) != len(wanted):
        reason = (
            f"{where}: number of localizable_params ({len(given)}) does not match the expected number of params "
            f"({len(wanted)})"
        )
        yield ContentFault(here, reason, COUNT_WRONG)
        return
    if is_named and sorted(str(one.get("parameter_name")) for one in given) != sorted(wanted):
        reason = f"{where}: Parameter name is missing or empty, or not one of {', '.join(wanted)}"
        yield ContentFault(here, reason, INVALID_PARAMETER)
        return
    length = len(_VARIABLE.sub("", text))
    for position, parameter in enumerate(given):
        kind = _word(parameter.get("type"))
        if kind not in _TEXT_TYPES:
            reason = f"{where}: Format mismatch, expected TEXT, received {kind.upper()}"
            yield ContentFault(f"{here}.parameters[{position}]", reason, FORMAT_WRONG)
            continue
        value = _value_of(kind, parameter)
        length += len(value)
        if _UNSENDABLE.search(value):
            reason = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"
            yield ContentFault(f"{here}.parameters[{position}]", reason, NOT_VALID)
    if length > BODY_CHARS:
        reason = f"{where}: the text with its parameters is longer than {BODY_CHARS} characters"
        yield ContentFault(here, reason, TOO_LONG)


def _buttons(made: Sequence[Json], sent: Sequence[tuple[int, Json]], path: str) -> Iterator[ContentFault]:
    given: dict[int, tuple[int, Json]] = {}
    for position, part in sent:
        text = str(part.get("index", ""))
        index = int(text) if text.isascii() and text.isdigit() else -1
        if not 0 <= index < len(made):
            reason = f"buttons: Button at index {text} does not exist in the template"
            yield ContentFault(f"{path}[{position}].index", reason, NOT_VALID)
            continue
        given[index] = (position, part)
    for index, button in enumerate(made):
        kind = _word(button.get("type"))
        is_variable_url = kind == "url" and bool(_VARIABLE.search(str(button.get("url") or "")))
        if (is_variable_url or kind in _NEEDS_PARAMETER) and not _parameters(given.get(index)):
            named = _NEEDS_PARAMETER.get(kind, "Url")
            reason = f"buttons: Button at index {index} of type {named} requires a parameter"
            yield ContentFault(path, reason, MISSING_PARAMETER)


def _cards(made: Json, sent: tuple[int, Json] | None, is_named: bool, path: str) -> Iterator[ContentFault]:
    cards = made.get("cards") or []
    given = (sent[1].get("cards") if sent else None) or []
    if len(cards) != len(given):
        reason = f"carousel: expected {len(cards)} cards, received {len(given)}"
        yield ContentFault(_at(path, sent), reason, FORMAT_WRONG)
        return
    for position, (card, one) in enumerate(zip(cards, given, strict=True)):
        here = f"{_at(path, sent)}.cards[{position}].components"
        yield from _components(card.get("components") or [], one.get("components") or [], is_named, here)


def variables_of(text: str) -> list[str]:
    """The different variables of a text, in order: ``["1", "2"]``, or names."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def _parameters(sent: tuple[int, Json] | None) -> Sequence[Json]:
    return (sent[1].get("parameters") if sent else None) or []


def _value_of(kind: str, parameter: Json) -> str:
    value = parameter.get(kind)
    return str(value.get("fallback_value", "")) if isinstance(value, Mapping) else str(value or "")


def _at(path: str, sent: tuple[int, Json] | None) -> str:
    return path if sent is None else f"{path}[{sent[0]}]"


def _is_no_button(part: Json) -> bool:
    return _word(part.get("type")) != "button"


def _word(value: object) -> str:
    return value.lower() if isinstance(value, str) else ""
