"""The secret that signs sessions: made once an installation, kept in its database.

Process: whatsapp (makes it), worker (reads it).

It stands in the database and not in the data folder, since a deploy may bring a new folder, and another box has
another one: people would be logged out each time. Who can read the database can read every conversation anyway.
"""

import secrets

from config.errors import Unavailable
from services.store import Database

META = "meta"
_ID = "console"
BYTES = 32


class SessionSecret:
    """The secret of one database; read once a process."""

    def __init__(self, database: Database) -> None:
        """No input or output."""
        self._database = database
        self._secret: bytes | None = None

    async def seed(self) -> None:
        """Make it, unless there is one."""
        fresh = secrets.token_bytes(BYTES)
        await self._database.update(META, {"_id": _ID}, {"$setOnInsert": {"secret": fresh}}, upsert=True)

    async def value(self) -> bytes:
        """The secret. Raises ``Unavailable`` before it was made."""
        if self._secret is None:
            found = await self._database.find_one(META, {"_id": _ID})
            if found is None:
                raise Unavailable("The installation is not set up yet. Try again in a moment.", retry_after_s=1)
            self._secret = bytes(found["secret"])
        return self._secret
