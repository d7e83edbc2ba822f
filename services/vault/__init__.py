"""Secrets at rest: what the database keeps of them is sealed. Knows neither the nouns nor the database.

Process: main (makes the key in development), worker, whatsapp.
"""

from services.vault.box import Place, SecretBox, SecretUnreadable
from services.vault.key_file import KEY_FILE, KeyFileDamaged, kept_key
from services.vault.keys import SecretKey
from services.vault.opening import open_box

__all__ = [
    "KEY_FILE",
    "KeyFileDamaged",
    "Place",
    "SecretBox",
    "SecretKey",
    "SecretUnreadable",
    "kept_key",
    "open_box",
]
