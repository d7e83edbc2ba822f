"""Keys as documents.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from typing import Any

from services.keys.records import ApiKey, Scope
from services.store import BatchLoader, Database

KEYS = "keys"
MAX_KEYS = 1_000


class KeyRepository:
    """The keys of one database.

    Every read raises ``Unavailable`` while the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_digest = BatchLoader(database, KEYS, "digest")
        self._by_id = BatchLoader(database, KEYS)

    async def by_digest(self, digest: str) -> ApiKey | None:
        """The key whose text has this SHA-256, if there is one."""
        found = await self._by_digest.get(digest)
        return _record(found) if found else None

    async def by_id(self, key_id: str) -> ApiKey | None:
        """One key by its id, ended ones too."""
        found = await self._by_id.get(key_id)
        return _record(found) if found else None

    async def all(self) -> list[ApiKey]:
        """Every key, ended ones too, the newest first. They are few."""
        found = await self._database.find(KEYS, {}, limit=MAX_KEYS)
        return sorted((_record(document) for document in found), key=lambda key: key.created_at, reverse=True)

    async def put(self, key: ApiKey) -> None:
        """Store a key, in place of the one with its id if there is one."""
        await self._database.update(
            KEYS,
            {"_id": key.id},
            {
                "$set": {
                    "name": key.name,
                    "digest": key.digest,
                    "scopes": sorted(scope.value for scope in key.scopes),
                    "numbers": sorted(key.numbers),
                    "created_at": key.created_at,
                    "expires_at": key.expires_at,
                }
            },
            upsert=True,
        )


def _record(document: Mapping[str, Any]) -> ApiKey:
    known = {scope.value for scope in Scope}
    return ApiKey(
        id=document["_id"],
        name=document.get("name", ""),
        digest=document["digest"],
        scopes=frozenset(Scope(word) for word in document.get("scopes", ()) if word in known),
        created_at=document["created_at"],
        numbers=frozenset(document.get("numbers", ())),
        expires_at=document.get("expires_at"),
        revoked_at=document.get("revoked_at"),
        last_used_at=document.get("last_used_at"),
    )
