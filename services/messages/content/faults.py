"""What is wrong with a message object: every faulty path with its reason, and the code that Meta would answer with.

Process: worker.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from config.errors import Fault, RequestRefused
from config.request_models import path_of, reason_of

INVALID_PARAMETER = 100
MISSING_PARAMETER = 131008
INVALID_VALUE = 131009
UNSUPPORTED_KIND = 131051
NO_SUCH_TEMPLATE = 132001

NESTING_MAX_LEVELS = 32
"""Ours: free JSON (the data of a flow) that is deeper is refused here, before the database does it."""
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class ContentFault:
    """One fault, with the Graph code that belongs to it."""

    path: str
    reason: str
    graph_code: int = INVALID_VALUE


class ContentRefused(RequestRefused):
    """The message object is not valid. `faults` has all paths; `graph_code` is the first one's."""

    default_text = "The message is not valid."

    def __init__(self, faults: Sequence[ContentFault]) -> None:
        self.graph_code = faults[0].graph_code
        super().__init__(
            faults=[Fault(fault.path, fault.reason) for fault in faults],
            extra={"graph_code": self.graph_code},
        )

    @property
    def errors(self) -> list[dict[str, str]]:
        """`[{"path", "reason"}]`, as the answers carry them."""
        return [{"path": fault.path, "reason": fault.reason} for fault in self.faults]


def custom(reason: str, *, code: int = INVALID_VALUE) -> PydanticCustomError:
    """The error that a validator of a content model raises, with Meta's code in its type."""
    return PydanticCustomError("graph_error", "{reason}", {"reason": reason, "graph_code": code})


def faults_of(error: ValidationError, prefix: str) -> list[ContentFault]:
    return [_fault(entry, prefix) for entry in error.errors(include_url=False, include_input=False)]


def unstorable(value: Any, path: str, *, depth: int = 0) -> Iterator[ContentFault]:
    """Text and numbers that neither JSON nor the database can hold, anywhere below `value`."""
    if depth > NESTING_MAX_LEVELS:
        yield ContentFault(path, f"is nested deeper than {NESTING_MAX_LEVELS} levels", INVALID_PARAMETER)
    elif isinstance(value, str):
        if (reason := unstorable_text(value)) is not None:
            yield ContentFault(path, reason, INVALID_PARAMETER)
    elif isinstance(value, dict):
        for key, item in value.items():
            if unstorable_text(key) is not None:
                yield ContentFault(path, "has a key with a NUL or half of a surrogate pair", INVALID_PARAMETER)
            else:
                yield from unstorable(item, f"{path}.{key}", depth=depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unstorable(item, f"{path}[{index}]", depth=depth + 1)
    elif isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        yield ContentFault(path, "is a number past 64 bits", INVALID_PARAMETER)


def unstorable_text(value: str) -> str | None:
    """Why this text cannot be stored and sent, or None when it can."""
    if "\x00" in value:
        return "contains a NUL character"
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return "contains half of a surrogate pair, which is not Unicode text"
    return None


def _fault(entry: ErrorDetails, prefix: str) -> ContentFault:
    kind, context = entry["type"], entry.get("ctx", {})
    path = path_of((prefix, *entry["loc"]) if prefix else entry["loc"])
    if kind == "graph_error":
        return ContentFault(path, str(context["reason"]), int(context["graph_code"]))
    if kind == "missing":
        return ContentFault(path, reason_of(entry), MISSING_PARAMETER)
    return ContentFault(path, reason_of(entry), INVALID_PARAMETER if kind.endswith("_type") else INVALID_VALUE)
