"""Fills a campaign's template for one person. Pure.

Process: worker, whatsapp.

``{{name}}`` in any text of the template stands for the variable ``name``; ``{{name|friend}}`` says what to write when
a person has none.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

PLACEHOLDER: Final = re.compile(r"\{\{\s*([A-Za-z0-9_-]{1,64})\s*(?:\|([^{}]{0,200}))?\}\}")


class MissingVariables(Exception):
    """A person lacks what the template needs. ``names`` in the order of the template."""

    def __init__(self, names: list[str]) -> None:
        """``names`` is not empty."""
        super().__init__(", ".join(names))
        self.names = names


def fill(template: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """The template object for one person. Raises ``MissingVariables``."""
    missing: dict[str, None] = {}
    filled: dict[str, Any] = _filled(template, variables, missing)
    if missing:
        raise MissingVariables(list(missing))
    return filled


def _filled(value: Any, variables: Mapping[str, str], missing: dict[str, None]) -> Any:
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: _value_of(match, variables, missing), value) if "{{" in value else value
    if isinstance(value, Mapping):
        return {key: _filled(item, variables, missing) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, variables, missing) for item in value]
    return value


def _value_of(match: re.Match[str], variables: Mapping[str, str], missing: dict[str, None]) -> str:
    # Meta refuses line breaks, tabs and runs of blanks inside a parameter.
    found = " ".join(variables.get(match[1], "").split())
    if found:
        return found
    if match[2] is None:
        missing[match[1]] = None
        return ""
    return match[2].strip()
