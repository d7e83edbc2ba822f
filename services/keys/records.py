"""What an API key is, and who calls with it.

Process: worker, whatsapp.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a key may do. ``admin`` is no shorthand: it opens what changes the installation itself."""

    MESSAGES_SEND = "messages:send"
    MESSAGES_READ = "messages:read"
    CONVERSATIONS = "conversations"
    CONTACTS = "contacts"
    TEMPLATES = "templates"
    MEDIA = "media"
    CAMPAIGNS = "campaigns"
    EVENTS_READ = "events:read"
    WEBHOOK_ENDPOINTS = "webhook_endpoints"
    NUMBERS = "numbers"
    CLUSTER_READ = "cluster:read"
    CONSOLE = "console"
    ADMIN = "admin"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: the SHA-256 of its text, never the text. ``numbers`` empty: every number."""

    id: str
    name: str
    digest: str
    scopes: frozenset[Scope]
    created_at: datetime
    numbers: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who made this request. ``expires_at``: the end of the key; ``ends_at``: of the key or of the console session."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
    numbers: frozenset[str] = frozenset()
    ends_at: datetime | None = None
    expires_at: datetime | None = None

    def may(self, scope: Scope) -> bool:
        """Has this caller the scope?"""
        return scope in self.scopes

    def may_use(self, phone_number_id: str) -> bool:
        """May this caller act for, and see, this number?"""
        return not self.numbers or phone_number_id in self.numbers
