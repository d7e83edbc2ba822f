"""API keys: hashed at rest, with scopes, numbers and an end.

Process: worker, whatsapp (seeds the first one).
"""

from services.keys.bootstrap import BootstrapKey, bootstrap_key
from services.keys.cache import BOOTSTRAP_KEY_ID, KeyCache, NotAuthenticated, NotPermitted, require
from services.keys.changes import AccessChanges, SharedChanges, shared_changes
from services.keys.records import ALL_SCOPES, ApiKey, Caller, Scope
from services.keys.repository import KeyRepository
from services.keys.requests import KeyRequest, parse_key
from services.keys.secrets import key_digest, new_key_text
from services.keys.service import MAX_NAME, KeyService, NewKey, key_commands

__all__ = [
    "ALL_SCOPES",
    "BOOTSTRAP_KEY_ID",
    "MAX_NAME",
    "AccessChanges",
    "ApiKey",
    "BootstrapKey",
    "Caller",
    "KeyCache",
    "KeyRepository",
    "KeyRequest",
    "KeyService",
    "NewKey",
    "NotAuthenticated",
    "NotPermitted",
    "Scope",
    "SharedChanges",
    "bootstrap_key",
    "key_commands",
    "key_digest",
    "new_key_text",
    "parse_key",
    "require",
    "shared_changes",
]
