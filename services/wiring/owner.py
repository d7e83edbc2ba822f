"""Builds what the WhatsApp process keeps through all its terms.

Process: whatsapp.
"""

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from config.clock import Clock, SystemClock
from config.metering import SILENT, Meter
from config.settings import Settings
from services.console import SessionSecret
from services.graph import GraphAccess
from services.keys import ALL_SCOPES, BOOTSTRAP_KEY_ID, ApiKey, KeyRepository
from services.links import CloudLink, Link, LinkKind
from services.messages import MESSAGES, OnUncertain
from services.numbers import Number, NumberRepository
from services.secret_rotation import KeyCheck
from services.sending import DispatchOptions, LinkAnswers, QuietHours, SendLimits
from services.store import (
    COMMANDS,
    NOTIFICATIONS,
    ChangeNotifier,
    Database,
    Lease,
    ensure_schema,
    expiry_indexes,
    shares,
)
from services.vault import SecretBox, open_box
from services.wiring.shared import LEASE_NAME, database_options, graph_of


@dataclass(frozen=True, slots=True)
class Owner:
    """What the WhatsApp process keeps through all its terms. ``limits`` are those of a number without its own."""

    settings: Settings
    clock: Clock
    database: Database
    box: SecretBox
    key_check: KeyCheck
    lease: Lease
    change_notifier: ChangeNotifier
    numbers: NumberRepository
    session: aiohttp.ClientSession
    answers: LinkAnswers
    graph: GraphAccess
    dispatch_options: DispatchOptions
    limits: SendLimits
    renew_s: float
    prepare_seed: Callable[[], ApiKey]

    async def prepare(self) -> None:
        """Create indexes, seed the first number and key; existing documents stay. Raises ``Unavailable``."""
        settings = self.settings
        await ensure_schema(
            self.database,
            expiry_indexes(
                events_days=settings.retention_events_days,
                notifications_days=settings.retention_notifications_days,
                attempts_days=settings.retention_attempts_days,
            ),
        )
        await self.numbers.seed(
            Number(
                phone_number_id=settings.number,
                waba_id=settings.waba,
                display_phone_number=settings.display_phone_number,
                link=settings.whatsapp,
                is_default=True,
            )
        )
        await KeyRepository(self.database).put(self.prepare_seed())
        await self.key_check.seed()
        await SessionSecret(self.database, self.box).seed()

    def links(self, numbers: list[Number]) -> dict[str, Link]:
        """Return the link of each phone_number_id. The sandbox is the cloud link with another host and token."""
        kind = LinkKind.SANDBOX if self.settings.whatsapp == "sandbox" else LinkKind.CLOUD
        link = CloudLink(self.graph.client, self.graph.tokens, kind=kind)
        return {number.phone_number_id: link for number in numbers}

    async def close(self) -> None:
        """Close what was opened, in reverse order."""
        self.change_notifier.stop()
        await self.session.close()
        await self.database.close()


def build_owner(settings: Settings, *, holder: str, bootstrap_digest: str, meter: Meter = SILENT) -> Owner:
    """Build the parts of the WhatsApp process. The first operation opens the connection; call it on the event loop."""
    clock, box = SystemClock(), open_box(settings)
    budget = shares(settings.db_ops_per_s, workers=1, instances=settings.instances)
    database = Database(
        database_options(settings, settings.db_pool_queen, "panal-whatsapp", ops_per_s=budget.owner_per_s), meter=meter
    )
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.send_concurrency * 2, keepalive_timeout=30)
    )
    return Owner(
        settings=settings,
        clock=clock,
        database=database,
        box=box,
        key_check=KeyCheck(database, box, clock, is_strict=bool(settings.secret_key)),
        lease=Lease(
            database,
            LEASE_NAME,
            holder=holder,
            ttl_s=settings.lease_ttl_s,
            margin_s=min(1.0, settings.lease_ttl_s / 5),
            monotonic=clock.monotonic,
        ),
        change_notifier=ChangeNotifier(database, [MESSAGES, NOTIFICATIONS, COMMANDS]),
        numbers=NumberRepository(database),
        session=session,
        graph=graph_of(settings, session),
        answers=LinkAnswers(),
        dispatch_options=DispatchOptions(
            concurrency=settings.send_concurrency,
            evidence_wait_s=settings.evidence_wait_s,
            on_uncertain=OnUncertain(settings.on_uncertain),
        ),
        limits=SendLimits(
            per_s=settings.number_rate_per_s,
            pair_period_s=settings.pair_period_s,
            pair_burst=settings.pair_burst,
            daily_recipients=settings.daily_recipients,
            quiet_hours=QuietHours.parse(settings.quiet_hours) if settings.quiet_hours else None,
        ),
        renew_s=settings.lease_renew_s,
        prepare_seed=lambda: ApiKey(
            id=BOOTSTRAP_KEY_ID,
            name="bootstrap",
            digest=bootstrap_digest,
            scopes=ALL_SCOPES,
            created_at=clock.now(),
        ),
    )
