"""The owner's background_tasks and the commands that it carries out: one line each.

Process: whatsapp.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from services.campaigns import project_campaign
from services.commands import CommandExecutor, ConcurrentExecutor, Handler
from services.console import SESSION_SECRET, quick_reply_commands
from services.contacts import ConsentCategory, ContactCommands, ContactEvents, Keywords, listed, project_contact
from services.conversations import ConversationCommands, project_conversation
from services.egress import AddressPolicy
from services.keys import key_commands
from services.media import MediaCommands, project_media
from services.messages import MESSAGES, Message, Priority, project_message
from services.numbers import NumberCommands, NumberSync, project_number
from services.secret_rotation import SecretRotation
from services.sending import (
    BULK_EVERY,
    Depth,
    Due,
    Freed,
    Holds,
    LaneLoader,
    MessageCommands,
    Queue,
    QueueReader,
    ReadMarks,
    Released,
    contact_of,
)
from services.store import COMMANDS, NOTIFICATIONS, BatchDelay, Event, VersionedWrite
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
    project_webhook_endpoint,
)
from services.whatsapp.campaigning import campaign_handlers, feeder_of
from services.whatsapp.cluster_events import ClusterEvents
from services.whatsapp.context import OwnerContext
from services.whatsapp.housekeeping import cleaner_of, storage_of
from services.whatsapp.intake import Intake
from services.whatsapp.watchdog import Watchdog

BATCH_DELAY = BatchDelay(0.03)
"""What is read one by one costs the database a find each."""


@dataclass(frozen=True, slots=True)
class BackgroundTask:
    """Something the owner does again and again. ``step`` answers how much it did; 0 lets it wait.

    It is woken by an insert into ``inbox`` (None: by the clock alone), and looks by itself after ``poll_s`` seconds.
    ``is_thorough``: a step leaves nothing behind, so that another look is due only when it is woken.
    ``delay``: how far apart steps are that follow one another, so that each finds more to do.
    """

    name: str
    step: Callable[[], Awaitable[int]]
    inbox: str | None = None
    poll_s: float = 1.0
    is_thorough: bool = False
    delay: BatchDelay | None = None


PROJECTIONS = (
    project_message,
    project_conversation,
    project_contact,
    project_campaign,
    project_number,
    project_webhook_endpoint,
    project_media,
)


def project(event: Event) -> list[VersionedWrite]:
    """Every noun's writes for one event."""
    return [write for of_noun in PROJECTIONS for write in of_noun(event)]


async def know(context: OwnerContext, message: Message) -> None:
    """Have in memory what the send policy must know of a message's recipient. Raises ``Unavailable``."""
    contact = contact_of(message)
    await context.consents.load([contact.key])
    await context.conversations.load([contact])


def first_background_tasks(context: OwnerContext) -> list[BackgroundTask]:
    """What needs no event_writer: in a full database nothing can be recorded before something old has gone."""
    return [BackgroundTask("retention", cleaner_of(context).step, poll_s=5.0)]


def handlers(context: OwnerContext) -> Mapping[str, Handler]:
    """Who carries out which command."""
    messages = MessageCommands(
        message_state=context.message_state,
        repository=context.messages,
        dispatcher=context.dispatcher,
        clock=context.clock,
        know=partial(know, context),
    )
    conversations = ConversationCommands(context.database, context.clock)
    numbers = NumberCommands(
        context.number_state,
        set_paused=context.rate_limiter.set_paused,
        release=context.rate_limiter.release_number,
        nudge=context.dispatcher.nudge,
        clock=context.clock,
    )
    contacts = ContactCommands(context.contacts, context.clock, numbers=context.number_ids)
    return {
        "message.cancel": messages.cancel,
        "message.retry": messages.retry,
        "message.reschedule": messages.reschedule,
        "conversation.read": conversations.read,
        "conversation.update": conversations.update,
        "conversation.note": conversations.note,
        **key_commands(),
        **quick_reply_commands(),
        "number.pause": numbers.pause,
        "number.resume": numbers.resume,
        "number.update": numbers.update,
        "contact.save": contacts.save,
        "contact.opt_out": contacts.opt_out,
        "contact.opt_in": contacts.opt_in,
        "contact.import": contacts.import_rows,
        **campaign_handlers(context),
    }


def due_readers(context: OwnerContext, lane_loader: LaneLoader) -> list[Due]:
    """What waits for a time, a number each."""
    return [
        Due(number.phone_number_id, repository=context.messages, lane_loader=lane_loader, clock=context.clock)
        for number in context.numbers
    ]


def templates_of(context: OwnerContext) -> TemplateSync:
    """Who keeps the catalogue of templates in step with WhatsApp."""
    return TemplateSync(
        TemplateRepository(context.database),
        context.graph,
        context.event_writer,
        context.clock,
        numbers=context.numbers,
        every_s=context.settings.template_sync_s,
    )


def concurrent_handlers(
    context: OwnerContext, keeping: MediaCommands, templates: TemplateSync
) -> Mapping[str, Handler]:
    """Commands that call WhatsApp: they run side by side."""
    read_marks = ReadMarks(repository=context.messages, link_of=context.links.__getitem__, clock=context.clock)
    return {
        "message.mark_read": read_marks.mark_read,
        "media.delete": keeping.delete,
        "template.sync": templates.sync,
    }


def deliveries_of(context: OwnerContext) -> Deliveries:
    """The delivery engine of this term: it hears of events as the event writer writes them."""
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
        policy=AddressPolicy(allow_private=settings.allow_private_urls, allow_http=not settings.is_production),
        options=DeliveryOptions(
            schedule=parse_schedule(settings.webhook_schedule),
            timeout_s=settings.webhook_timeout_s,
            concurrency=settings.webhook_concurrency,
            disable_after_s=settings.webhook_disable_days * 86_400,
            on_delivered=ENDPOINT_LAG_SECONDS.observe,
        ),
    )


def contact_events_of(context: OwnerContext) -> ContactEvents:
    """Who learns of contacts and their decisions from what customers do."""
    settings = context.settings
    return ContactEvents(
        context.contacts,
        context.clock,
        keywords=Keywords(opt_out=listed(settings.opt_out_words), opt_in=listed(settings.opt_in_words)),
        keyword_category=ConsentCategory(settings.opt_out_category),
        numbers=context.number_ids,
    )


def cluster_events_of(context: OwnerContext) -> list[BackgroundTask]:
    """What main writes on the scoreboard, where there is one."""
    if context.scoreboard is None:
        return []
    news = ClusterEvents(context.scoreboard, context.event_writer, context.number_ids[0], context.clock)
    return [BackgroundTask("news", news.step, poll_s=1.0)]


def numbers_of(context: OwnerContext) -> NumberSync:
    """Who keeps what we know of numbers in step with WhatsApp."""
    every_s = context.settings.template_sync_s
    return NumberSync(context.number_state, context.graph, context.event_writer, context.clock, every_s=every_s)


def background_tasks(
    context: OwnerContext, lane_loader: LaneLoader, due: list[Due], *, templates: TemplateSync, numbers: NumberSync
) -> list[BackgroundTask]:
    """Everything that runs side by side during a term."""
    context.campaigns.category_of = templates.category_of
    intake = Intake(
        database=context.database,
        event_writer=context.event_writer,
        message_state=context.message_state,
        conversations=context.conversations,
        repository=context.messages,
        dispatcher=context.dispatcher,
        keeper=contact_events_of(context),
        templates=templates,
        numbers=numbers,
        clock=context.clock,
    )
    deliveries = deliveries_of(context)
    endpoints = WebhookEndpointCommands(deliveries, context.database, context.clock)
    executor = CommandExecutor(
        context.database, context.event_writer, handlers={**handlers(context), **endpoints.handlers()}
    )
    watchdog = Watchdog(context)
    freed = Freed(
        context.number_ids,
        rate_limiter=context.rate_limiter,
        repository=context.messages,
        lane_loader=lane_loader,
        event_writer=context.event_writer,
        clock=context.clock,
    )
    context.event_writer.listeners.append(freed.hear)
    released = Released(repository=context.messages, lane_loader=lane_loader)
    queue = Queue(
        {
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
        },
        bulk_every=BULK_EVERY if context.database.operation_budget.is_paced else 1,
    )
    depth = Depth(
        context.number_ids, queue=queue, lanes=context.lanes, repository=context.messages, lane_loader=lane_loader
    )
    rotation = SecretRotation(
        context.database, context.box, (VAULT_SECRETS, SESSION_SECRET), is_owner=context.lease.is_held
    )
    keeping = MediaCommands(context.media_records, context.blobs, context.media, context.graph, context.clock)
    concurrent_executor = ConcurrentExecutor(
        context.database, context.event_writer, handlers=concurrent_handlers(context, keeping, templates)
    )

    async def load_due() -> int:
        back = context.dispatcher.take_released()
        count = await released.load(back) if back else 0
        return count + sum([await reader.load() for reader in due])

    return [
        BackgroundTask("queue_reader", queue.load, MESSAGES, is_thorough=True, delay=BATCH_DELAY),
        BackgroundTask("refill", partial(lane_loader.refill, context.messages), poll_s=0.1),
        BackgroundTask("depth", depth.step, poll_s=5.0),
        BackgroundTask("due", load_due, poll_s=0.25),
        BackgroundTask("freed", freed.step, poll_s=0.25),
        BackgroundTask("intake", intake.ingest_new, NOTIFICATIONS, delay=BATCH_DELAY),
        BackgroundTask("executor", executor.step, COMMANDS),
        BackgroundTask("watchdog", watchdog.step, poll_s=5.0),
        *cluster_events_of(context),
        BackgroundTask("deliveries", deliveries.run),
        BackgroundTask("concurrent commands", concurrent_executor.step, COMMANDS),
        BackgroundTask("campaigns", feeder_of(context).step, poll_s=0.25),
        BackgroundTask("secrets", rotation.step, poll_s=60.0),
        BackgroundTask("storage", storage_of(context).step, poll_s=5.0),
        BackgroundTask("media", keeping.sweep, poll_s=60.0),
        BackgroundTask("templates", templates.step, poll_s=0.5),
        BackgroundTask("numbers", numbers.step, poll_s=0.5),
        BackgroundTask("holds", Holds(context.rate_limiter, context.event_writer, context.clock).step, poll_s=0.5),
    ]
