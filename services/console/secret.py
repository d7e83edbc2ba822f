"""The secret that signs sessions: made once an installation, kept in its database, sealed.

Process: whatsapp (makes it), worker (reads it).

It stands in the database and not in the data folder, since a deploy may bring a new folder, and another box has
another one: people would be logged out each time. It is sealed, so that a copy of the database opens no console.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from config.errors import Unavailable
from services.secret_rotation import SealedField
from services.store import Database
from services.vault import Place, SecretBox

META = "meta"
_ID = "console"
_PLACE = Place(META, _ID)
BYTES = 32


class SessionSecret:
    """The secret of one database; read once a process."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box
        self._secret: bytes | None = None

    async def seed(self) -> None:
        """Make it, unless there is one."""
        fresh = self._box.seal(_PLACE, secrets.token_bytes(BYTES))
        await self._database.update(META, {"_id": _ID}, {"$setOnInsert": {"sealed": fresh}}, upsert=True)

    async def value(self) -> bytes:
        """The secret. Raises ``Unavailable`` before it was made, ``SecretUnreadable`` when the key does not fit."""
        if self._secret is None:
            found = await self._database.find_one(META, {"_id": _ID})
            if found is None:
                raise Unavailable("The installation is not set up yet. Try again in a moment.", retry_after_s=1)
            clear = _clear_of(found)  # of an earlier version, until the owner has sealed it
            self._secret = self._box.open(_PLACE, found["sealed"]) if clear is None else clear
        return self._secret


def _clear_of(document: Mapping[str, Any]) -> bytes | None:
    return bytes(document["secret"]) if "sealed" not in document else None


SESSION_SECRET = SealedField(META, ("secret",), _clear_of, id=_ID)
"""Where it stands, for the rotation of keys."""
