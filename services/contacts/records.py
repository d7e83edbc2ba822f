"""What a contact is, and what it agreed to: frozen records, no documents.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ConsentCategory(StrEnum):
    """What a consent is about: marketing messages alone, or every message."""

    MARKETING = "marketing"
    ALL = "all"


class ConsentStatus(StrEnum):
    """``out``: do not send. ``in``: the person agreed."""

    OUT = "out"
    IN = "in"


class ConsentSource(StrEnum):
    """How we know. Callers of the API may name a source of their own; these are ours."""

    KEYWORD = "keyword"
    USER_PREFERENCE = "user_preference"
    PLATFORM = "platform"
    API = "api"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One decision of a person, with where it came from and what proves it."""

    category: ConsentCategory
    status: ConsentStatus
    at: datetime
    source: str
    proof: Mapping[str, Any] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    """For which of our numbers it holds; empty: for all."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person, whichever of our numbers they wrote to.

    ``name`` is what we call them, ``profile_name`` and ``username`` what WhatsApp says. ``order`` sorts by first sight.
    ``opted_out`` is what they must not get: nothing of a category, everything, or None. ``history`` holds the latest
    decisions, oldest first. ``keys`` are all addresses, those too that the person had before.
    """

    id: str
    key: str
    wa_id: str | None
    user_id: str | None
    name: str | None
    profile_name: str | None
    username: str | None
    attributes: Mapping[str, Any]
    labels: tuple[str, ...]
    numbers: tuple[str, ...]
    opted_out: ConsentCategory | None
    consent: Mapping[ConsentCategory, ConsentEntry]
    history: tuple[ConsentEntry, ...]
    order: int
    created_at: datetime
    updated_at: datetime
    keys: tuple[str, ...] = ()

    @property
    def shown_name(self) -> str | None:
        """The best name there is."""
        return self.name or self.profile_name or self.username
