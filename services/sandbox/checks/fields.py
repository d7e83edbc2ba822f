"""Checks of single fields, each with the sentence that Meta's `details` would have.

Process: sandbox.
"""

from collections.abc import Sequence
from typing import Any

from services.sandbox.wire.faults import GraphFault, absent, invalid
from services.sandbox.wire.shapes import Json


def object_of(value: Any, where: str) -> Json:
    """A JSON object. Missing: 131008; another kind of value: 100."""
    if value is None:
        raise absent(f"{where} is required.")
    if not isinstance(value, dict):
        raise GraphFault(100, f"Param {where} must be an object.")
    return value


def list_of(value: Any, where: str, *, least: int = 0, most: int | None = None) -> list[Any]:
    """A list with so many entries; null counts as empty."""
    if value is None:
        value = []
    if not isinstance(value, list):
        raise GraphFault(100, f"Param {where} must be an array.")
    count = len(value)
    if count < least or (most is not None and count > most):
        allowed = f"Min allowed {where}: {least}" + (f", Max allowed {where}: {most}" if most is not None else "")
        raise invalid(f"Invalid {where} count. {allowed}, given: {count}")
    return value


def objects_of(value: Any, where: str, *, least: int = 0, most: int | None = None) -> list[Json]:
    """A list of JSON objects."""
    return [object_of(one, f"{where}[{at}]") for at, one in enumerate(list_of(value, where, least=least, most=most))]


def text_of(holder: Any, key: str, *, where: str, most: int | None = None, code_too_long: int = 131009) -> str:
    """A required text, not empty, of at most so many characters."""
    name = f"{where}['{key}']"
    value = object_of(holder, where).get(key)
    if value is None:
        raise absent(f"{name} is required.")
    if not isinstance(value, str):
        raise GraphFault(100, f"Param {name} must be a string.")
    if not value:
        raise GraphFault(100, f"The parameter {name} is required.", message=f"(#100) The parameter {name} is required.")
    if most is not None and len(value) > most:
        raise GraphFault(code_too_long, f"Param {name} must be at most {most} characters long.")
    return value


def optional_text(holder: Json, key: str, *, where: str, most: int | None = None) -> str | None:
    """A text that may be missing, null or empty."""
    if holder.get(key) in (None, ""):
        return None
    return text_of(holder, key, where=where, most=most)


def choice_of(holder: Json, key: str, *, where: str, among: Sequence[str]) -> str:
    """One of some words."""
    value = holder.get(key)
    if value not in among:
        listed = ", ".join(among)
        raise GraphFault(100, f"Param {where}['{key}'] must be one of {{{listed}}} - got \"{value}\".")
    return str(value)


def unique_of(values: Sequence[str], where: str) -> None:
    """No value twice."""
    if len(set(values)) != len(values):
        raise invalid(f"Duplicated {where}: each must be unique in the message.")


def link_of(holder: Json, key: str, *, where: str) -> str:
    """An http or https address."""
    link = text_of(holder, key, where=where, most=2000)
    if not link.lower().startswith(("http://", "https://")):
        raise GraphFault(100, f"Param {where}['{key}'] is not a valid URI.")
    return link
