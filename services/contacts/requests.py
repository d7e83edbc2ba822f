"""What callers may say about a contact: read from JSON once, with the path and reason of every fault.

Process: worker.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from config import clock
from config.errors import Fault, RequestRefused
from services.contacts.records import ConsentCategory, ConsentSource

MAX_NAME_CHARS: Final = 200
MAX_LABELS: Final = 50
MAX_LABEL_CHARS: Final = 64
MAX_ATTRIBUTES: Final = 50
MAX_ATTRIBUTE_BYTES: Final = 4096
MAX_PROOF_BYTES: Final = 2048
MAX_SOURCE_CHARS: Final = 64
ATTRIBUTE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")

_PATCHED: Final = frozenset({"name", "labels", "add_labels", "remove_labels", "attributes"})


class Faults:
    """Collects what is wrong, then refuses everything at once."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.found: list[Fault] = []

    def add(self, path: str, reason: str) -> None:
        """One more."""
        self.found.append(Fault(path, reason))

    def refuse(self, text: str) -> None:
        """Raise ``RequestRefused`` if there is any."""
        if self.found:
            raise RequestRefused(text, faults=self.found)


def parse_patch(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A profile change as the data of a command. Raises ``RequestRefused``."""
    faults = Faults()
    data: dict[str, Any] = {}
    for name in raw.keys() - _PATCHED - {"to", "from"}:
        faults.add(name, "cannot be changed")
    if "name" in raw:
        data["name"] = name_of(raw["name"], "name", faults)
    for field in ("labels", "add_labels", "remove_labels"):
        if field in raw:
            data[field] = labels_of(raw[field], field, faults)
    if "attributes" in raw:
        data["attributes"] = attributes_of(raw["attributes"], "attributes", faults)
    faults.refuse("The contact is not valid.")
    return data


def parse_decision(raw: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """An opt-out or opt-in as the data of a command. Raises ``RequestRefused``."""
    faults = Faults()
    for name in raw.keys() - {"category", "source", "proof", "at", "to", "from"}:
        faults.add(name, "is not known here")
    category = raw.get("category", ConsentCategory.ALL.value)
    if category not in [one.value for one in ConsentCategory]:
        faults.add("category", "must be marketing or all")
    source = raw.get("source", ConsentSource.API.value)
    if not is_plain_text(source, MAX_SOURCE_CHARS):
        faults.add("source", f"must be a text of 1 to {MAX_SOURCE_CHARS} characters")
    proof = proof_of(raw.get("proof"), faults)
    at = moment_of(raw.get("at"), "at", faults) or now
    if at > now:
        faults.add("at", "must not lie in the future")
    faults.refuse("The consent is not valid.")
    return {"category": category, "source": source, "proof": proof, "at": at}


def name_of(value: Any, path: str, faults: Faults) -> str | None:
    """A name, or None to take it away."""
    if value is None or is_plain_text(value, MAX_NAME_CHARS):
        return value if value is None else str(value).strip()
    faults.add(path, f"must be a text of 1 to {MAX_NAME_CHARS} characters, or null")
    return None


def labels_of(value: Any, path: str, faults: Faults) -> list[str]:
    """Labels without doubles, in their order."""
    if not isinstance(value, list) or len(value) > MAX_LABELS:
        faults.add(path, f"must be a list of at most {MAX_LABELS} labels")
        return []
    for position, label in enumerate(value):
        if not is_plain_text(label, MAX_LABEL_CHARS):
            faults.add(f"{path}[{position}]", f"must be a text of 1 to {MAX_LABEL_CHARS} characters")
            return []
    return list(dict.fromkeys(label.strip() for label in value))


def attributes_of(value: Any, path: str, faults: Faults) -> dict[str, Any]:
    """Attributes by name: a text, a number, true or false; null takes one away."""
    if not isinstance(value, Mapping) or len(value) > MAX_ATTRIBUTES:
        faults.add(path, f"must be an object with at most {MAX_ATTRIBUTES} members")
        return {}
    for name, item in value.items():
        if not ATTRIBUTE_NAME.fullmatch(name):
            faults.add(f"{path}.{name}", "is no attribute name: a letter, then letters, digits, _ or -, 64 at most")
        elif not (item is None or is_simple(item)):
            faults.add(f"{path}.{name}", "must be a text, a number of at most 64 bits, true, false or null")
    if not faults.found and len(orjson.dumps(value)) > MAX_ATTRIBUTE_BYTES:
        faults.add(path, f"must be at most {MAX_ATTRIBUTE_BYTES} bytes of JSON")
    return dict(value)


def proof_of(value: Any, faults: Faults) -> dict[str, Any]:
    """What proves a decision: a sentence, or a flat object."""
    if value is None:
        return {}
    proof = {"text": value} if isinstance(value, str) else value
    is_flat = isinstance(proof, Mapping) and all(
        ATTRIBUTE_NAME.fullmatch(name) and is_simple(item) for name, item in proof.items()
    )
    if not is_flat or len(orjson.dumps(proof)) > MAX_PROOF_BYTES:
        faults.add("proof", f"must be a text or a flat object of texts and numbers, at most {MAX_PROOF_BYTES} bytes")
        return {}
    return dict(proof)


def moment_of(value: Any, path: str, faults: Faults) -> datetime | None:
    """A time with its zone."""
    if value is None:
        return None
    moment = clock.moment_of(value)
    if moment is None:
        faults.add(path, "must be a time with a zone, for example 2026-01-31T09:30:00Z")
    return moment


def is_plain_text(value: Any, longest: int) -> bool:
    """A text that is not blank, and that people can read: no control characters, no half emoji."""
    return isinstance(value, str) and 0 < len(value.strip()) and len(value) <= longest and value.isprintable()


def is_simple(value: Any) -> bool:
    """Something that the database can hold as one value."""
    if isinstance(value, bool | float):
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, str) and "\0" not in value and is_encodable(value)


def is_encodable(text: str) -> bool:
    """No half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def all_of(values: Sequence[str] | None) -> list[str]:
    """A list that may be missing."""
    return list(values or ())
