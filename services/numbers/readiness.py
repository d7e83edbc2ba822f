"""Can this installation do its work? Database, schema and owner, looked at no more than once a second a process.

Process: worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from config.clock import Clock
from config.errors import Unavailable
from services.secret_rotation import KeyCheck
from services.store import Database, is_lease_held, is_schema_ready

FRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    """``checks`` says of each part ``ok`` or what is wrong and what to do."""

    is_ready: bool
    checks: Mapping[str, str]


class Readiness:
    """Looks at the database, at the owner lease and at the key of the secrets.

    A standby box is ready: some process owns the numbers.
    """

    def __init__(self, database: Database, clock: Clock, *, lease_name: str, key_check: KeyCheck) -> None:
        """Nothing is looked at yet."""
        self._database = database
        self._clock = clock
        self._lease_name = lease_name
        self._key_check = key_check
        self._last: ReadinessReport | None = None
        self._looked_at = float("-inf")
        self._has_schema = False

    async def check(self) -> ReadinessReport:
        """The state now, at most ``FRESH_S`` old."""
        now = self._clock.monotonic()
        if self._last is None or now - self._looked_at >= FRESH_S:
            self._last = await self._look()
            self._looked_at = now
        return self._last

    async def _look(self) -> ReadinessReport:
        try:
            if not self._has_schema:
                self._has_schema = await is_schema_ready(self._database)
            has_owner = await is_lease_held(self._database, self._lease_name)
            key_fault = await self._key_check.fault()
        except Unavailable as error:
            return ReadinessReport(
                is_ready=False,
                checks={"database": f"{error.text} See the log for the reason and check PANAL_MONGODB_URI."},
            )
        checks = {
            "database": "ok" if self._has_schema else "The indexes are not made yet; the WhatsApp process makes them.",
            "owner": "ok" if has_owner else "No WhatsApp process owns the numbers; see the log of Sanic-WhatsApp-0.",
            "secrets": key_fault or "ok",
        }
        has_key = key_fault is None or not self._key_check.is_strict
        return ReadinessReport(is_ready=self._has_schema and has_owner and has_key, checks=checks)
