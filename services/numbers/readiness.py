"""Can this installation do its work? Database, schema and owner, looked at no more than once a second a process.

Process: worker.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from config.clock import Clock
from config.errors import Unavailable
from services.secret_rotation import KeyCheck
from services.store import Database, SingleFlight, is_lease_held, is_schema_ready

FRESH_S = 1.0
LIMIT_S = 1.5
"""How long a look may take: who asks (a balancer, a platform) soon gives up, and would not be told why."""


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    """``checks`` says of each part ``ok`` or what is wrong and what to do."""

    is_ready: bool
    checks: Mapping[str, str]


class Readiness:
    """Looks at the database, at the owner lease and at the key of the secrets.

    A standby host is ready: some process owns the numbers.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        lease_name: str,
        key_check: KeyCheck,
        limit_s: float = LIMIT_S,
    ) -> None:
        """Nothing is looked at yet."""
        self._database = database
        self._clock = clock
        self._lease_name = lease_name
        self._key_check = key_check
        self._limit_s = limit_s
        self._last: ReadinessReport | None = None
        self._looked_at = float("-inf")
        self._looks: SingleFlight[None, ReadinessReport] = SingleFlight(lambda _: self._look())
        self._has_schema = False

    async def check(self) -> ReadinessReport:
        """The state now, at most ``FRESH_S`` old, within ``limit_s``. Who asks during a look waits for that one."""
        now = self._clock.monotonic()
        if self._last is None or now - self._looked_at >= FRESH_S:
            return await self._looks.get(None)
        return self._last

    async def _look(self) -> ReadinessReport:
        """What is not heard in time is told by name."""
        unheard = "the indexes and who owns the numbers"
        try:
            async with asyncio.timeout(self._limit_s):
                if not self._has_schema:
                    self._has_schema = await is_schema_ready(self._database)
                unheard = "who owns the numbers"
                has_owner = await is_lease_held(self._database, self._lease_name)
                unheard = "whether the secrets can be opened"
                key_fault = await self._key_check.fault()
        except TimeoutError:
            report = self._unheard(f"The database did not answer within {self._limit_s:g} s.", unheard)
        except Unavailable as error:
            report = self._unheard(error.text, unheard)
        else:
            report = self._heard(has_owner=has_owner, key_fault=key_fault)
        self._last, self._looked_at = report, self._clock.monotonic()
        return report

    def _heard(self, *, has_owner: bool, key_fault: str | None) -> ReadinessReport:
        checks = {
            "database": "ok" if self._has_schema else "The indexes are not made yet; the WhatsApp process makes them.",
            "owner": "ok" if has_owner else "No WhatsApp process owns the numbers; see the log of Sanic-WhatsApp-0.",
            "secrets": key_fault or "ok",
        }
        has_key = key_fault is None or not self._key_check.is_strict
        return ReadinessReport(is_ready=self._has_schema and has_owner and has_key, checks=checks)

    def _unheard(self, reason: str, unheard: str) -> ReadinessReport:
        if self._database.answers.is_hung:
            reason = f"The database has not answered anything for {self._database.answers.silent_s:.0f} s."
        line = f"{reason} Not heard: {unheard}. See the log for the reason and check PANAL_MONGODB_URI."
        return ReadinessReport(is_ready=False, checks={"database": line})
