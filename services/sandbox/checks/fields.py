"""Checks of single fields, each with the sentence that Meta's `details` would have.

Process: sandbox.
"""

from typing import Any

from services.sandbox.wire.faults import GraphFault, absent, invalid
from services.sandbox.wire.shapes import Json


def object_of(value: Any, where: str) -> Json:
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
        allowed = f"Min allowed: {least}" + (f", Max allowed: {most}" if most is not None else "")
        raise invalid(f"Invalid {where} count. {allowed}, given: {count}")
    return value


def text_of(
    holder: Any, key: str, *, where: str, least: int = 1, most: int | None = None, code_too_long: int = 100
) -> str:
    """A required text of so many characters."""
    name = f"{where}['{key}']"
    value = object_of(holder, where).get(key)
    if value is None:
        raise absent(f"{name} is required.")
    if not isinstance(value, str):
        raise GraphFault(100, f"Param {name} must be a string.")
    if len(value) < least:
        raise GraphFault(100, f"The parameter {name} is required.", message=f"(#100) The parameter {name} is required.")
    if most is not None and len(value) > most:
        raise GraphFault(code_too_long, f"Param {name} must be at most {most} characters long.")
    return value


def optional_text(holder: Json, key: str, *, where: str, most: int | None = None) -> str | None:
    """A text that may be missing, null or empty."""
    if holder.get(key) in (None, ""):
        return None
    return text_of(holder, key, where=where, most=most, code_too_long=131009)
