"""Does this installation's key fit its database? One sealed word in the database knows.

Process: worker, whatsapp.
"""

from typing import Final

from config.clock import Clock
from services.store import META, Database
from services.vault import Place, SecretBox, SecretUnreadable

ID: Final = "secret_key"
PLACE: Final = Place(META, ID)
WORD: Final = b"panal"
FITS_FOR_S: Final = 30.0
"""How long an answer that the key fits is believed: a rotation elsewhere may have ended meanwhile."""


class KeyCheck:
    """Compares the keys of a box with the word that the first owner sealed.

    ``is_strict``: without the right key an installation is not ready and owns nothing. With a key that development
    made for itself it is only told: two folders may share a database.
    """

    def __init__(self, database: Database, box: SecretBox, clock: Clock, *, is_strict: bool) -> None:
        """Nothing is looked at yet."""
        self.is_strict = is_strict
        self._database = database
        self._box = box
        self._clock = clock
        self._fits_until = float("-inf")

    async def seed(self) -> None:
        """Seal the word, unless some owner did. Raises ``Unavailable``."""
        sealed = self._box.seal(PLACE, WORD)
        await self._database.update(META, {"_id": ID}, {"$setOnInsert": {"sealed": sealed}}, upsert=True)

    async def fault(self) -> str | None:
        """Why the key does not fit, for the operator, or None. Raises ``Unavailable`` when the database is away."""
        if self._clock.monotonic() < self._fits_until:
            return None
        found = await self._database.find_one(META, {"_id": ID})
        try:
            if found is not None:
                self._box.open(PLACE, found["sealed"])
        except SecretUnreadable as error:
            return (
                f"PANAL_SECRET_KEY does not fit this database ({error.detail}). Put the former key back, as "
                "PANAL_SECRET_KEY or beside the new one as PANAL_SECRET_KEY_PREVIOUS; see docs/security.md."
            )
        self._fits_until = self._clock.monotonic() + FITS_FOR_S
        return None
