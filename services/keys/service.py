"""Making and revoking keys: the worker makes the text and shows it once, the owner writes what is stored.

Process: worker (KeyAdmin), whatsapp (key_commands).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from config.clock import Clock, rfc3339
from config.errors import Fault, RequestRefused
from config.ids import new_id, new_order
from services.commands import Command, CommandClient, Handler, Outcome
from services.keys.cache import BOOTSTRAP_KEY_ID
from services.keys.changes import change_of_keys
from services.keys.grants import granted_end, granted_numbers, may_see_key, require_grant, require_power
from services.keys.records import ApiKey, Caller, Scope
from services.keys.repository import KEYS, KeyRepository
from services.keys.secrets import key_digest, new_key_text
from services.store import NEW, GroupCommit, VersionedWrite

CREATE: Final = "key.create"
REVOKE: Final = "key.revoke"
USED: Final = "key.used"
MAX_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its text, which is nowhere else."""

    key: ApiKey
    text: str


class KeyService:
    """What an administrator does with keys, from any worker."""

    def __init__(self, repository: KeyRepository, commands: CommandClient, inserts: GroupCommit, clock: Clock) -> None:
        self._repository = repository
        self._commands = commands
        self._inserts = inserts
        self._clock = clock

    async def all(self, caller: Caller) -> list[ApiKey]:
        """Every key that this caller may see, the newest first: a limited one those within its numbers."""
        return [key for key in await self._repository.all() if may_see_key(caller, key)]

    async def agents(self, caller: Caller) -> list[str]:
        """Names of the keys that may use the console for a number of this caller: his colleagues."""
        keys = [key for key in await self._repository.all() if key.revoked_at is None and Scope.CONSOLE in key.scopes]
        near = {key.name for key in keys if not (caller.numbers and key.numbers) or caller.numbers & key.numbers}
        return sorted(near | {caller.name})

    async def create(
        self,
        *,
        name: str,
        scopes: frozenset[Scope],
        numbers: frozenset[str],
        expires_at: datetime | None,
        maker: Caller,
    ) -> NewKey:
        """A new key. Its text is never stored: who loses it makes another one.

        Raises ``NotPermitted`` when it would have more than its maker: scopes, numbers or time.
        """
        numbers, expires_at = granted_numbers(numbers, maker), granted_end(expires_at, maker)
        require_grant(maker, scopes=scopes, numbers=numbers, expires_at=expires_at)
        text = new_key_text()
        key = ApiKey(
            id=new_id("key"),
            name=name,
            digest=key_digest(text),
            scopes=scopes,
            created_at=self._clock.now(),
            numbers=numbers,
            expires_at=expires_at,
        )
        data = {
            "id": key.id,
            "name": name,
            "digest": key.digest,
            "scopes": sorted(scope.value for scope in scopes),
            "numbers": sorted(numbers),
            "created_at": key.created_at,
            "expires_at": expires_at,
        }
        await self._commands.submit(CREATE, data, by=maker.key_id)
        return NewKey(key, text)

    async def revoke(self, key_id: str, caller: Caller) -> Mapping[str, Any]:
        """End a key; every worker refuses it within 5 s. Raises ``RequestRefused``: unknown, or the first key."""
        if key_id == BOOTSTRAP_KEY_ID and not caller.numbers:
            raise RequestRefused(
                "The first key is set by the operator: change PANAL_BOOTSTRAP_KEY, or delete its file and restart.",
                code="wrong_state",
                faults=[Fault("key_id", "is the first key")],
            )
        key = await self._repository.by_id(key_id)
        if key is None or not may_see_key(caller, key):
            raise RequestRefused("There is no such key.", code="not_found")
        require_power(caller, key)
        return await self._commands.submit(REVOKE, {"id": key_id, "at": self._clock.now()}, by=caller.key_id)

    async def note_use(self, key_id: str) -> None:
        """Ask the owner to write down that a key was used; nobody waits for it."""
        now = self._clock.now()
        await self._inserts.insert(
            {
                "_id": new_id("cmd"),
                "order": new_order(),
                "state": NEW,
                "kind": USED,
                "data": {"id": key_id, "at": now},
                "by": key_id,
                "at": now,
            }
        )


def key_commands() -> Mapping[str, Handler]:
    """The owner's side. Keys belong to no number, so they make no numbered event; the log tells of them."""
    return {CREATE: _create, REVOKE: _revoke, USED: _used}


async def _create(command: Command) -> Outcome:
    values = {name: value for name, value in command.data.items() if name != "id"}
    key_id = str(command.data["id"])
    return Outcome({"id": key_id}, writes=[VersionedWrite(KEYS, key_id, None, set=values, upsert=True)])


async def _revoke(command: Command) -> Outcome:
    key_id, at = str(command.data["id"]), command.data["at"]
    write = VersionedWrite(KEYS, key_id, None, set={"revoked_at": at, "revoked_by": command.by})
    return Outcome({"id": key_id, "revoked_at": rfc3339(at)}, writes=[write, change_of_keys(command.id)])


async def _used(command: Command) -> Outcome:
    return Outcome(
        writes=[VersionedWrite(KEYS, str(command.data["id"]), None, set={"last_used_at": command.data["at"]})]
    )
