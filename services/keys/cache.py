"""Who calls? A bearer key becomes a caller; answers are remembered for a while, until a change of keys is seen.

Process: worker.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from config.clock import Clock
from config.errors import RequestRefused
from services.keys.changes import AccessChanges
from services.keys.records import ALL_SCOPES, ApiKey, Caller, Scope
from services.keys.repository import KeyRepository
from services.keys.secrets import key_digest
from services.store import RefreshAheadCache

FRESH_S = 30.0
MAX_REMEMBERED = 1_000
MAX_KEY_LENGTH = 512
USE_NOTED_S = 300.0
"""A key's last use is noted again when what stands there is older than this."""

NoteUse = Callable[[str], Awaitable[None]]

BOOTSTRAP_KEY_ID = "key_bootstrap"


class NotAuthenticated(RequestRefused):
    """No key, or one that is not valid (any more)."""

    code = "not_authenticated"
    default_text = "Send a valid API key: Authorization: Bearer <key>."


class NotPermitted(RequestRefused):
    """The key is valid and lacks the scope."""

    code = "not_permitted"
    default_text = "This API key lacks the scope for this call."


class KeyCache:
    """Authenticates. ``bootstrap_digest`` is the first key's: it needs no database, so health can be seen without one.

    Unknown keys are remembered too (for the same time, in the same bounded memory), so that guessing costs us nothing.
    """

    def __init__(
        self,
        repository: KeyRepository,
        clock: Clock,
        *,
        bootstrap_digest: str,
        changes: AccessChanges,
        note_use: NoteUse | None = None,
    ) -> None:
        """Empty. ``note_use`` is told the id of a key that was used, now and then."""
        self._note_use = note_use
        self._changes = changes
        self._repository = repository
        self._clock = clock
        self._bootstrap_digest = bootstrap_digest
        self._bootstrap = Caller(key_id=BOOTSTRAP_KEY_ID, name="bootstrap", scopes=ALL_SCOPES)
        self._by_text: RefreshAheadCache[str, Caller | None] = RefreshAheadCache(
            self._read, clock, fresh_s=FRESH_S, most=MAX_REMEMBERED
        )
        self._by_id: RefreshAheadCache[str, Caller | None] = RefreshAheadCache(
            self._read_by_id, clock, fresh_s=FRESH_S, most=MAX_REMEMBERED
        )

    async def caller(self, authorization: str | None) -> Caller:
        """The caller of this ``Authorization`` header. Raises ``NotAuthenticated`` or ``Unavailable``."""
        text = _key_of(authorization)
        caller = await self._by_text.get(text, newer_than=self._changes.seen_at) if text else None
        if caller is None or self._is_over(caller):
            raise NotAuthenticated()
        return caller

    def known(self, authorization: str | None) -> Caller | None:
        """The same caller, when who that is is remembered. None says nothing: ``caller`` does."""
        text = _key_of(authorization)
        caller = self._by_text.peek(text, newer_than=self._changes.seen_at) if text else None
        return None if caller is None or self._is_over(caller) else caller

    async def caller_by_id(self, key_id: str) -> Caller | None:
        """The caller of a key that was shown before (a session of the console), while it has not ended."""
        if key_id == BOOTSTRAP_KEY_ID:
            return self._bootstrap
        caller = await self._by_id.get(key_id, newer_than=self._changes.seen_at)
        return None if caller is None or self._is_over(caller) else caller

    def _is_over(self, caller: Caller) -> bool:
        """A key ends when it says, however long it is remembered."""
        return caller.ends_at is not None and caller.ends_at <= self._clock.now()

    async def _read_by_id(self, key_id: str) -> Caller | None:
        return await self._caller_of(await self._repository.by_id(key_id))

    async def _read(self, text: str) -> Caller | None:
        digest = key_digest(text.strip())
        if digest == self._bootstrap_digest:
            return self._bootstrap
        return await self._caller_of(await self._repository.by_digest(digest))

    async def _caller_of(self, key: ApiKey | None) -> Caller | None:
        self._changes.remember()
        if key is None or self._has_ended(key):
            return None
        noted_at, now = key.last_used_at, self._clock.now()
        is_noted = noted_at is not None and now - noted_at < timedelta(seconds=USE_NOTED_S)
        if self._note_use is not None and not is_noted:
            await self._note_use(key.id)
        return Caller(
            key_id=key.id,
            name=key.name,
            scopes=key.scopes,
            numbers=key.numbers,
            ends_at=key.expires_at,
            expires_at=key.expires_at,
        )

    def _has_ended(self, key: ApiKey) -> bool:
        return key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= self._clock.now())


def _key_of(authorization: str | None) -> str | None:
    """The text of the key in this header, if there is one."""
    if not authorization or len(authorization) > MAX_KEY_LENGTH:
        return None
    scheme, _, text = authorization.partition(" ")
    # A header may hold any bytes; a key of ours is plain text.
    return text if scheme.lower() == "bearer" and text.isascii() else None


def require(caller: Caller, scope: Scope) -> None:
    """Raise ``NotPermitted`` when the caller lacks the scope; it names the scope."""
    if not caller.may(scope):
        raise NotPermitted(f"This API key lacks the scope {scope.value}.")
