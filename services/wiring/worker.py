"""Builds the services of an HTTP worker.

Process: worker.
"""

import asyncio
import logging
from dataclasses import dataclass

import aiohttp

from config.clock import Clock, SystemClock
from config.errors import Unavailable
from config.metering import SILENT, Meter
from config.settings import Settings
from services.campaigns import CampaignRepository, CampaignService, RecipientLists
from services.cloud_api import Callbacks, GraphProxy, Handshake
from services.cloud_webhook import CloudWebhookService, WebhookSecrets
from services.commands import CommandClient
from services.console import EmulatedPhones, QuickReplies, Samples, Sessions
from services.contacts import ConsentCache, ContactRepository, ContactService
from services.conversations import ConversationCache, ConversationRepository
from services.egress import AddressPolicy, guarded_connector
from services.events import EventReader, Streams
from services.graph import GraphAccess
from services.keys import KeyCache, KeyService, SharedChanges
from services.media import BUCKET, MediaCheck, MediaRepository, MediaService, MediaUploads, MediaUrls, RemoteFiles
from services.messages import MESSAGES, Acceptance, AcceptancePolicy, MessageRepository, stamp_order
from services.numbers import NumberCache, NumberLimits, NumberRepository, OwnPace, Readiness
from services.retention import StorageReader
from services.secret_rotation import KeyCheck
from services.store import COMMANDS, NOTIFICATION_DELAY, NOTIFICATIONS, Blobs, Database, GroupCommit, shares
from services.templates import TemplateCheck, TemplateRepository, TemplateService
from services.vault import open_box
from services.webhook_endpoints import WebhookEndpointService, WebhookRepository
from services.wiring.access import Access, build_access
from services.wiring.shared import LEASE_NAME, database_options, egress_policy, graph_of

log = logging.getLogger(__name__)

IMPORT_WAIT_S = 30.0
"""How long an import waits for the owner to apply its next few hundred lines."""


@dataclass(frozen=True, slots=True)
class WorkerServices:
    """The services that the handlers of one worker call."""

    settings: Settings
    clock: Clock
    database: Database
    key_cache: KeyCache
    access: Access
    numbers: NumberCache
    number_limits: NumberLimits
    acceptance: Acceptance
    messages: MessageRepository
    conversations: ConversationRepository
    contacts: ContactRepository
    contact_transfer: ContactService
    campaigns: CampaignRepository
    campaign_service: CampaignService
    storage: StorageReader
    events: EventReader
    streams: Streams
    webhook: CloudWebhookService
    readiness: Readiness
    commands: CommandClient
    keys: KeyService
    sessions: Sessions
    quick_replies: QuickReplies
    samples: Samples
    phones: EmulatedPhones | None
    webhook_endpoints: WebhookEndpointService
    graph: GraphAccess
    media: MediaService
    media_uploads: MediaUploads
    media_links: RemoteFiles
    media_urls: MediaUrls
    templates: TemplateRepository
    template_account: TemplateService
    graph_proxy: GraphProxy
    callbacks: Callbacks
    message_inserts: GroupCommit
    command_inserts: GroupCommit
    notification_inserts: GroupCommit

    async def wait_for_database(self, limit_s: float) -> bool:
        """Wait for the first answer of the database. False after ``limit_s``: requests get 503 until it answers."""
        until = self.clock.monotonic() + limit_s
        while True:
            try:
                await self.database.ping()
            except Unavailable as error:
                if self.clock.monotonic() > until:
                    log.error(
                        "The database did not answer in time; check PANAL_MONGODB_URI and Atlas's list of allowed IPs.",
                        extra={"action": "database.unreachable", "limit_s": limit_s, "detail": str(error)},
                    )
                    return False
                await asyncio.sleep(0.1)
            else:
                return True

    async def close(self) -> None:
        """Write what was accepted, then close the connections."""
        await self.streams.close()
        if self.phones is not None:
            await self.phones.close()
        await self.message_inserts.close()
        await self.notification_inserts.close()
        await self.command_inserts.close()
        await self.graph.session.close()
        await self.media_links.session.close()
        await self.database.close()


def build_worker(
    settings: Settings, *, bootstrap_digest: str, meter: Meter = SILENT, workers: int = 1, shared: SharedChanges = None
) -> WorkerServices:
    """Build the services of one of ``workers`` HTTP workers. The first operation connects. Call it on the loop."""
    clock, box = SystemClock(), open_box(settings)
    budget = shares(settings.db_ops_per_s, workers=workers, instances=settings.instances)
    database = Database(
        database_options(settings, settings.db_pool_per_worker, "panal-worker", ops_per_s=budget.worker_per_s),
        meter=meter,
    )
    key_check = KeyCheck(database, box, clock, is_strict=bool(settings.secret_key))
    repository = MessageRepository(database)
    numbers = NumberCache(NumberRepository(database), clock)
    contacts = ContactRepository(database)
    campaigns = CampaignRepository(database)
    max_waiting = settings.accept_queue
    message_inserts = GroupCommit(
        database, MESSAGES, max_waiting=max_waiting, meter=meter, weight=3.0, stamp=stamp_order
    )
    notification_inserts = GroupCommit(
        database, NOTIFICATIONS, max_waiting=max_waiting, meter=meter, delay=NOTIFICATION_DELAY
    )
    command_inserts = GroupCommit(database, COMMANDS, max_waiting=max_waiting, meter=meter)
    commands = CommandClient(database, command_inserts, clock)
    import_commands = CommandClient(database, command_inserts, clock, wait_s=IMPORT_WAIT_S)
    access = build_access(
        settings,
        database,
        clock=clock,
        box=box,
        commands=(commands, command_inserts),
        bootstrap_digest=bootstrap_digest,
        shared=shared,
    )
    secrets = WebhookSecrets(
        app_secret=settings.app_secret.get_secret_value(), verify_token=settings.verify_token.get_secret_value()
    )
    graph = graph_of(settings, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50, keepalive_timeout=30)))
    media, blobs = MediaRepository(database), Blobs(database, BUCKET)
    templates = TemplateRepository(database)
    template_check = TemplateCheck(templates, commands, clock)
    consents = ConsentCache(database, clock)
    policy = AddressPolicy(allow_private=settings.allow_private_urls, allow_http=True)
    media_links = RemoteFiles(aiohttp.ClientSession(connector=guarded_connector(policy, limit=20)), policy)
    webhooks, test_s = WebhookRepository(database, box), settings.webhook_timeout_s + 2
    webhook_endpoints = WebhookEndpointService(
        webhooks, commands, clock, policy=egress_policy(settings), test_wait_s=test_s
    )
    return WorkerServices(
        settings=settings,
        clock=clock,
        database=database,
        key_cache=access.key_cache,
        access=access,
        numbers=numbers,
        number_limits=NumberLimits(
            OwnPace(
                per_s=settings.number_rate_per_s,
                pair_period_s=settings.pair_period_s,
                pair_burst=settings.pair_burst,
                daily_recipients=settings.daily_recipients,
                quiet_hours=settings.quiet_hours,
            ),
            lambda number: graph.management.number(number, graph.token_of(number)),
            clock,
        ),
        acceptance=Acceptance(
            inserts=message_inserts,
            repository=repository,
            numbers=numbers,
            policy=AcceptancePolicy(
                standings=ConversationCache(database, clock),
                consents=consents,
                has_marketing_template=template_check.is_marketing,
                clock=clock,
            ),
            clock=clock,
            meter=meter,
            checks=[MediaCheck(media, clock), template_check],
        ),
        messages=repository,
        conversations=ConversationRepository(database),
        contacts=contacts,
        storage=StorageReader(database, clock),
        campaigns=campaigns,
        campaign_service=CampaignService(
            campaigns,
            RecipientLists(database, most=settings.campaign_max_recipients),
            contacts=contacts,
            consents=consents,
            commands=commands,
            clock=clock,
        ),
        contact_transfer=ContactService(contacts, import_commands, clock),
        events=access.events,
        streams=access.streams,
        webhook=CloudWebhookService(database, inserts=notification_inserts, secrets=secrets, clock=clock),
        readiness=Readiness(database, clock, lease_name=LEASE_NAME, key_check=key_check),
        commands=commands,
        keys=access.keys,
        sessions=access.sessions,
        quick_replies=QuickReplies(database, commands, clock),
        samples=Samples(database, clock),
        phones=EmulatedPhones(port=settings.sandbox_port, token=settings.sandbox_token.get_secret_value())
        if settings.whatsapp == "sandbox"
        else None,
        webhook_endpoints=webhook_endpoints,
        graph=graph,
        media=MediaService(media, blobs, graph, clock),
        media_uploads=MediaUploads(media, blobs, media_links, clock, max_bytes=settings.max_media_bytes),
        media_links=media_links,
        templates=templates,
        template_account=TemplateService(graph, numbers, commands),
        graph_proxy=GraphProxy(graph),
        callbacks=Callbacks(
            webhook_endpoints,
            numbers,
            Handshake(media_links.session, policy),
            app_secret=settings.app_secret.get_secret_value(),
        ),
        media_urls=MediaUrls(settings.app_secret.get_secret_value()),
        message_inserts=message_inserts,
        command_inserts=command_inserts,
        notification_inserts=notification_inserts,
    )
