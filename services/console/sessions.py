"""Sessions of the console: opened with an API key, ended by idle time, by age, or with the key.

Process: worker.
"""

from dataclasses import dataclass

from config.clock import Clock
from services.console.secret import SessionSecret
from services.console.token import Ticket, sign, verified
from services.keys import Caller, Keyring, NotAuthenticated, Scope, require


class SessionEnded(NotAuthenticated):
    """The cookie is not ours, too old, or was idle for too long."""

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

    def __init__(self, secret: SessionSecret, keyring: Keyring, clock: Clock, *, limits: SessionLimits) -> None:
        """No input or output."""
        self._secret = secret
        self._keyring = keyring
        self._clock = clock
        self._limits = limits

    async def open(self, key_text: str) -> Session:
        """A session for this key. Raises ``NotAuthenticated``, or ``NotPermitted`` without the scope ``console``."""
        caller = await self._keyring.caller(f"Bearer {key_text}")
        require(caller, Scope.CONSOLE)
        now_s = self._now_s()
        return Session(caller, sign(Ticket(caller.key_id, now_s, now_s), await self._secret.value()))

    async def caller(self, text: str) -> Caller:
        """Who this cookie stands for. Raises ``SessionEnded``."""
        return (await self._checked(text))[1]

    async def touch(self, text: str) -> Session:
        """Somebody is there: the idle time begins anew. Raises ``SessionEnded``."""
        ticket, caller = await self._checked(text)
        fresh = Ticket(ticket.key_id, ticket.began_s, self._now_s())
        return Session(caller, sign(fresh, await self._secret.value()))

    async def _checked(self, text: str) -> tuple[Ticket, Caller]:
        ticket = verified(text, await self._secret.value())
        now_s = self._now_s()
        if ticket is None:
            raise SessionEnded()
        if now_s - ticket.active_s > self._limits.idle_s or now_s - ticket.began_s > self._limits.longest_s:
            raise SessionEnded()
        caller = await self._keyring.caller_by_id(ticket.key_id)
        if caller is None or not caller.may(Scope.CONSOLE):
            raise SessionEnded()
        return ticket, caller

    def _now_s(self) -> int:
        return int(self._clock.now().timestamp())
