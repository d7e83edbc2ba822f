"""How a type of event is described: once, for the docs, the filters and the tests. Pure.

Process: worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_KINDS: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": "string"},
    "moment": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "bool": {"type": "boolean"},
    "object": {"type": "object"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "objects": {"type": "array", "items": {"type": "object"}},
    "any": {},
}

ENVELOPE: Final[dict[str, Any]] = {
    "seq": {"type": "integer", "minimum": 0},
    "id": {"type": "string", "pattern": "^evt_[0-9A-Z]{26}$"},
    "type": {"type": "string"},
    "at": _KINDS["moment"],
    "phone_number_id": {"type": "string"},
    "data": {"type": "object"},
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event's data. ``kind`` is a word of ``_KINDS``."""

    kind: str
    words: str
    is_nullable: bool
    is_required: bool

    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        kind = _KINDS[self.kind]
        if self.is_nullable and "type" in kind:
            kind = {**kind, "type": [kind["type"], "null"]}
        return {**kind, "description": self.words}


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event: what it means, what its data holds, and one example of it."""

    name: str
    meaning: str
    fields: Mapping[str, Field]
    example: Mapping[str, Any] = field(default_factory=dict)

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the whole event. More fields may come: readers ignore what they do not know."""
        data = {
            "type": "object",
            "required": sorted(name for name, one in self.fields.items() if one.is_required),
            "properties": {name: one.schema() for name, one in self.fields.items()},
        }
        return {
            "type": "object",
            "required": sorted(ENVELOPE),
            "properties": {**ENVELOPE, "type": {"const": self.name}, "data": data},
        }


def fields(text: str) -> dict[str, Field]:
    """A table of fields, one a line: ``name  kind  words``.

    ``kind?`` may be null, ``~name`` may be left out. Blank lines are skipped.
    """
    found: dict[str, Field] = {}
    for line in text.strip().splitlines():
        if not line.strip():
            continue
        name, kind, words = line.split(None, 2)
        found[name.removeprefix("~")] = Field(
            kind=kind.removesuffix("?"),
            words=words,
            is_nullable=kind.endswith("?"),
            is_required=not name.startswith("~"),
        )
    return found
