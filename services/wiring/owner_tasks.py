"""Builds the background tasks of one term: one line each in ``background_tasks``.

Process: whatsapp.
"""

from dataclasses import dataclass
from functools import partial

from services.campaigns import CampaignFeeder, CampaignRepository, FeederOptions, RecipientLists, Settling
from services.commands import CommandExecutor, ConcurrentExecutor
from services.console import SESSION_SECRET
from services.contacts import ConsentCategory, ContactEvents, ContactRepository, Keywords, listed
from services.media import MediaCommands
from services.messages import MESSAGES, Priority
from services.numbers import NumberSync
from services.retention import Cleaner, IdleCleaner, RetentionOptions, StorageWatch
from services.secret_rotation import SecretRotation
from services.sending import BULK_EVERY, Depth, Due, Freed, Holds, LaneLoader, Queue, QueueReader, Released
from services.store import COMMANDS, NOTIFICATIONS, BatchDelay
from services.telemetry.metrics.definitions import ENDPOINT_LAG_SECONDS
from services.templates import TemplateRepository, TemplateSync
from services.webhook_endpoints import (
    VAULT_SECRETS,
    Deliveries,
    DeliveryOptions,
    Feed,
    NumberNames,
    WebhookEndpointCommands,
    parse_schedule,
)
from services.wiring.owner_commands import concurrent_handlers, handlers
from services.wiring.owner_context import BackgroundTask, OwnerContext, Step
from services.wiring.shared import egress_policy

BATCH_DELAY = BatchDelay(0.03)
"""Pause between batches: a database with a limit of operations is read in few large batches, not in many small ones."""


@dataclass(frozen=True, slots=True)
class TermParts:
    """What the opening of a term and several of its tasks share."""

    templates: TemplateSync
    numbers: NumberSync
    contact_events: ContactEvents
    lane_loader: LaneLoader
    due: list[Due]


@dataclass(frozen=True, slots=True)
class OwnSteps:
    """Steps of the tasks that ``services/whatsapp`` implements itself. None: without a scoreboard."""

    intake: Step
    watchdog: Step
    cluster_events: Step | None


def build_parts(context: OwnerContext) -> TermParts:
    """Build what a term shares before it opens. Reads nothing."""
    settings = context.settings
    templates = TemplateSync(
        TemplateRepository(context.database),
        context.graph,
        context.event_writer,
        context.clock,
        numbers=context.numbers,
        every_s=settings.template_sync_s,
    )
    numbers = NumberSync(
        context.number_state, context.graph, context.event_writer, context.clock, every_s=settings.template_sync_s
    )
    lane_loader = LaneLoader(
        event_writer=context.event_writer,
        message_state=context.message_state,
        lanes=context.lanes,
        conversations=context.conversations,
        dispatcher=context.dispatcher,
        rate_limiter=context.rate_limiter,
        consents=context.consents,
        clock=context.clock,
        template_text=templates.text_of,
    )
    context.conversations.mergers.append(lane_loader.merge)
    due = [
        Due(number.phone_number_id, repository=context.messages, lane_loader=lane_loader, clock=context.clock)
        for number in context.numbers
    ]
    contact_events = ContactEvents(
        context.contacts,
        context.clock,
        keywords=Keywords(opt_out=listed(settings.opt_out_words), opt_in=listed(settings.opt_in_words)),
        keyword_category=ConsentCategory(settings.opt_out_category),
        numbers=context.number_ids,
    )
    return TermParts(templates, numbers, contact_events, lane_loader, due)


def first_background_tasks(context: OwnerContext) -> list[BackgroundTask]:
    """Tasks that may run before the term has opened. A full database takes no event until old documents are deleted."""
    return [BackgroundTask("retention", _cleaner(context).step, poll_s=5.0)]


def background_tasks(context: OwnerContext, parts: TermParts, own: OwnSteps) -> list[BackgroundTask]:
    """Build everything that runs side by side during a term, in the order of start."""
    context.campaigns.category_of = parts.templates.category_of
    deliveries = _deliveries(context)
    endpoints = WebhookEndpointCommands(deliveries, context.database, context.clock)
    executor = CommandExecutor(
        context.database, context.event_writer, handlers={**handlers(context), **endpoints.handlers()}
    )
    freed = _freed(context, parts.lane_loader)
    queue = _queue(context, parts.lane_loader)
    depth = Depth(
        context.number_ids,
        queue=queue,
        lanes=context.lanes,
        repository=context.messages,
        lane_loader=parts.lane_loader,
    )
    rotation = SecretRotation(
        context.database, context.box, (VAULT_SECRETS, SESSION_SECRET), is_owner=context.lease.is_held
    )
    media = MediaCommands(context.media_records, context.blobs, context.media, context.graph, context.clock)
    concurrent_executor = ConcurrentExecutor(
        context.database, context.event_writer, handlers=concurrent_handlers(context, media, parts.templates)
    )
    released = Released(repository=context.messages, lane_loader=parts.lane_loader)
    return [
        BackgroundTask("queue_reader", queue.load, MESSAGES, is_thorough=True, delay=BATCH_DELAY),
        BackgroundTask("refill", partial(parts.lane_loader.refill, context.messages), poll_s=0.1),
        BackgroundTask("depth", depth.step, poll_s=5.0),
        BackgroundTask("due", partial(_load_due, context, parts.due, released), poll_s=0.25),
        BackgroundTask("freed", freed.step, poll_s=0.25),
        BackgroundTask("intake", own.intake, NOTIFICATIONS, delay=BATCH_DELAY),
        BackgroundTask("executor", executor.step, COMMANDS),
        BackgroundTask("watchdog", own.watchdog, poll_s=5.0),
        *([BackgroundTask("news", own.cluster_events, poll_s=1.0)] if own.cluster_events is not None else []),
        BackgroundTask("deliveries", deliveries.run),
        BackgroundTask("concurrent commands", concurrent_executor.step, COMMANDS),
        BackgroundTask("campaigns", _campaign_feeder(context).step, poll_s=0.25),
        BackgroundTask("secrets", rotation.step, poll_s=60.0),
        BackgroundTask("storage", _storage_watch(context).step, poll_s=5.0),
        BackgroundTask("media", media.sweep, poll_s=60.0),
        BackgroundTask("templates", parts.templates.step, poll_s=0.5),
        BackgroundTask("numbers", parts.numbers.step, poll_s=0.5),
        BackgroundTask("holds", Holds(context.rate_limiter, context.event_writer, context.clock).step, poll_s=0.5),
    ]


async def _load_due(context: OwnerContext, due: list[Due], released: Released) -> int:
    ids = context.dispatcher.take_released()
    count = await released.load(ids) if ids else 0
    return count + sum([await reader.load() for reader in due])


def _queue(context: OwnerContext, lane_loader: LaneLoader) -> Queue:
    readers = {
        priority: [
            QueueReader(
                number.phone_number_id,
                priority,
                repository=context.messages,
                lane_loader=lane_loader,
                clock=context.clock,
                rate_per_s=partial(context.rate_limiter.rate_per_s, number.phone_number_id),
                troubles=lambda: context.database.trouble_count,
            )
            for number in context.numbers
        ]
        for priority in Priority
    }
    return Queue(readers, bulk_every=BULK_EVERY if context.database.operation_budget.is_paced else 1)


def _freed(context: OwnerContext, lane_loader: LaneLoader) -> Freed:
    freed = Freed(
        context.number_ids,
        rate_limiter=context.rate_limiter,
        repository=context.messages,
        lane_loader=lane_loader,
        event_writer=context.event_writer,
        clock=context.clock,
    )
    context.event_writer.listeners.append(freed.hear)
    return freed


def _deliveries(context: OwnerContext) -> Deliveries:
    """Build the delivery of events to webhook endpoints, and let it hear every event of the event writer."""
    settings = context.settings
    feed = Feed(context.database, context.event_writer.reached)
    context.event_writer.listeners.append(feed.hear)
    return Deliveries(
        context.database,
        context.event_writer,
        box=context.box,
        feed=feed,
        names={
            number.phone_number_id: NumberNames(number.waba_id, number.display_phone_number)
            for number in context.numbers
        },
        is_owner=context.lease.is_held,
        clock=context.clock,
        policy=egress_policy(settings),
        options=DeliveryOptions(
            schedule=parse_schedule(settings.webhook_schedule),
            timeout_s=settings.webhook_timeout_s,
            concurrency=settings.webhook_concurrency,
            disable_after_s=settings.webhook_disable_days * 86_400,
            on_delivered=ENDPOINT_LAG_SECONDS.observe,
        ),
    )


def _campaign_feeder(context: OwnerContext) -> CampaignFeeder:
    return CampaignFeeder(
        context.database,
        state=context.campaigns,
        repository=CampaignRepository(context.database),
        contacts=ContactRepository(context.database),
        lists=RecipientLists(context.database, most=context.settings.campaign_max_recipients),
        consents=context.consents,
        people=context.conversations,
        settling=Settling(context.message_state, context.dispatcher, context.event_writer, context.clock),
        recorder=context.event_writer,
        is_owner=context.lease.is_held,
        clock=context.clock,
        options=FeederOptions(outstanding=context.settings.campaign_outstanding),
    )


def _cleaner(context: OwnerContext) -> Cleaner:
    """Deletes old documents. Idle contacts and conversations go only once the term has opened."""
    settings = context.settings
    idle = IdleCleaner(
        context.database,
        context.event_writer,
        context.clock,
        conversations=context.conversations,
        contacts=context.contact_state,
        conversations_days=settings.retention_conversations_days,
        contacts_days=settings.retention_contacts_days,
        numbers=context.number_ids,
        opened=context.opened,
    )
    return Cleaner(
        context.database,
        context.event_writer,
        context.clock,
        is_owner=context.lease.is_held,
        options=RetentionOptions(
            messages_days=settings.retention_messages_days,
            campaigns_days=settings.retention_campaigns_days,
            idempotency_s=settings.idempotency_ttl_s,
        ),
        idle=idle,
    )


def _storage_watch(context: OwnerContext) -> StorageWatch:
    return StorageWatch(
        context.database,
        context.event_writer,
        context.clock,
        limit_mb=context.settings.storage_mb,
        number=context.number_ids[0],
    )
