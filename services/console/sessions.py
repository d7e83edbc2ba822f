"""Sessions of the console: opened with an API key, ended by idle time, by age, by signing out, or with the key.

Process: worker.

The cookie says who and since when. The database says what has happened since: a session that was ended is over on every
host, and a live stream knows that its page is in use although the cookie with which it began has grown old.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from config.clock import Clock
from services.console.secret import SessionSecret
from services.console.session_records import SessionRepository, SessionState
from services.console.token import Ticket, sign, verified
from services.keys import AccessChanges, Caller, KeyCache, NotAuthenticated, Scope, require
from services.store import RefreshAheadCache

FRESH_S: Final = 30.0
MAX_REMEMBERED: Final = 1_000
FORGET_AFTER_S: Final = 3_600
USE_READ_AGAIN_S: Final = 1.0
"""An idle session is looked up again when what is known is older: another worker may have seen it used."""


class SessionEnded(NotAuthenticated):
    """The cookie is not ours, too old, was idle for too long, or somebody signed out."""

    default_text = "The session has ended. Sign in again."


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: its caller and the cookie's text."""

    caller: Caller
    text: str


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long nobody may touch the page, and how long a session lives at the most, in seconds."""

    idle_s: int
    longest_s: int


class Sessions:
    """Opens and checks sessions. Scopes and numbers are the key's, looked at each time: a revoked key ends it."""

    def __init__(
        self,
        secret: SessionSecret,
        key_cache: KeyCache,
        clock: Clock,
        *,
        repository: SessionRepository,
        changes: AccessChanges,
        limits: SessionLimits,
    ) -> None:
        """Nothing is read yet."""
        self._secret = secret
        self._key_cache = key_cache
        self._clock = clock
        self._limits = limits
        self._repository = repository
        self._changes = changes
        self._states: RefreshAheadCache[tuple[str, str], SessionState] = RefreshAheadCache(
            self._read, clock, fresh_s=FRESH_S, most=MAX_REMEMBERED
        )

    async def open(self, key_text: str) -> Session:
        """A session for this key. Raises ``NotAuthenticated``, or ``NotPermitted`` without the scope ``console``."""
        caller = await self._key_cache.caller(f"Bearer {key_text}")
        require(caller, Scope.CONSOLE)
        ticket = Ticket(secrets.token_hex(16), caller.key_id, self._now_ms(), self._now_s())
        return Session(caller, sign(ticket, await self._secret.value()))

    async def caller(self, text: str) -> Caller:
        """Who this cookie stands for; it ends with the session. Raises ``SessionEnded``."""
        return (await self._checked(text))[1]

    async def touch(self, text: str) -> Session:
        """Somebody is there: the idle time begins anew. Raises ``SessionEnded``."""
        ticket, caller = await self._checked(text)
        fresh = replace(ticket, active_s=self._now_s())
        await self._repository.touch(ticket.session_id, active_s=fresh.active_s, forget_s=self._forget_s())
        return Session(caller, sign(fresh, await self._secret.value()))

    async def end(self, text: str, *, everywhere: bool = False) -> None:
        """Sign out: this session, or every one of the same key, is over on every worker within 5 s.

        A cookie that stands for no open session ends nothing. Raises ``Unavailable``.
        """
        try:
            ticket, _ = await self._checked(text)
        except SessionEnded:
            return
        if everywhere:
            await self._repository.end_all(ticket.key_id, now_ms=self._now_ms(), forget_s=self._forget_s())
        else:
            await self._repository.end(ticket.session_id, forget_s=self._forget_s())
        await self._changes.announce()

    async def _checked(self, text: str) -> tuple[Ticket, Caller]:
        ticket = verified(text, await self._secret.value())
        if ticket is None or self._now_ms() - ticket.began_ms > self._limits.longest_s * 1000:
            raise SessionEnded()
        place = ticket.session_id, ticket.key_id
        state = await self._states.get(place, newer_than=self._changes.seen_at)
        if self._is_idle(ticket, state):
            newer_than = max(self._changes.seen_at, self._clock.monotonic() - USE_READ_AGAIN_S)
            state = await self._states.get(place, newer_than=newer_than)
        if state.is_over(ticket.began_ms) or self._is_idle(ticket, state):
            raise SessionEnded()
        caller = await self._key_cache.caller_by_id(ticket.key_id)
        if caller is None or not caller.may(Scope.CONSOLE):
            raise SessionEnded()
        return ticket, replace(caller, ends_at=self._ends_at(ticket, state, caller))

    def _is_idle(self, ticket: Ticket, state: SessionState) -> bool:
        return self._now_s() - max(ticket.active_s, state.active_s) > self._limits.idle_s

    def _ends_at(self, ticket: Ticket, state: SessionState, caller: Caller) -> datetime:
        """When to look again: the session is idle by then unless it is used, or too old, or its key ends."""
        idle_s = max(ticket.active_s, state.active_s) + self._limits.idle_s + 1
        oldest_s = ticket.began_ms / 1000 + self._limits.longest_s
        ends_at = datetime.fromtimestamp(min(idle_s, oldest_s), UTC)
        return ends_at if caller.ends_at is None else min(ends_at, caller.ends_at)

    async def _read(self, place: tuple[str, str]) -> SessionState:
        self._changes.remember()
        return await self._repository.state(*place)

    def _forget_s(self) -> int:
        """No session that is open now is still open then."""
        return self._now_s() + self._limits.longest_s + FORGET_AFTER_S

    def _now_s(self) -> int:
        return int(self._clock.now().timestamp())

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)
