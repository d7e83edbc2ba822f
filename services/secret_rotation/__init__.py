"""Does the key fit the database, and is every stored secret sealed with the current one?

Process: worker (checks), whatsapp (checks, seals anew).
"""

from services.secret_rotation.key_check import KeyCheck
from services.secret_rotation.rotation import SealedField, SecretRotation

__all__ = [
    "KeyCheck",
    "SealedField",
    "SecretRotation",
]
