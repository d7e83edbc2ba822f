"""The owner's duties and the commands that it carries out: one line each.

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

GATHER = BatchDelay(0.03)
"""What is read one by one costs the database a find each."""


@dataclass(frozen=True, slots=True)
class BackgroundTask:
    """Something the owner does again and again. ``step`` answers how much it did; 0 lets it wait.

    It is woken by an insert into ``inbox`` (None: by the clock alone), and looks by itself after ``poll_s`` seconds.
    ``is_thorough``: a step leaves nothing behind, so that another look is due only when it is woken.
    ``gather``: how far apart steps are that follow one another, so that each finds more to do.
    """

    name: str
    step: Callable[[], Awaitable[int]]
    inbox: str | None = None
    poll_s: float = 1.0
    is_thorough: bool = False
    gather: BatchDelay | None = None


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


async def know(court: OwnerContext, message: Message) -> None:
    """Have in memory what the send gate must know of a message's recipient. Raises ``Unavailable``."""
    contact = contact_of(message)
    await court.consents.load([contact.key])
    await court.directory.load([contact])


def first_background_tasks(court: OwnerContext) -> list[BackgroundTask]:
    """What needs no journal: in a full database nothing can be recorded before something old has gone."""
    return [BackgroundTask("retention", cleaner_of(court).step, poll_s=5.0)]


def handlers(court: OwnerContext) -> Mapping[str, Handler]:
    """Who carries out which command."""
    messages = MessageCommands(
        ledger=court.ledger,
        repository=court.messages,
        dispatcher=court.dispatcher,
        clock=court.clock,
        know=partial(know, court),
    )
    conversations = ConversationCommands(court.database, court.clock)
    numbers = NumberCommands(
        court.number_book,
        set_paused=court.governor.set_paused,
        release=court.governor.release_number,
        nudge=court.dispatcher.nudge,
        clock=court.clock,
    )
    contacts = ContactCommands(court.contacts, court.clock, numbers=court.number_ids)
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
        **campaign_handlers(court),
    }


def due_readers(court: OwnerContext, admission: LaneLoader) -> list[Due]:
    """What waits for a time, a number each."""
    return [
        Due(number.phone_number_id, repository=court.messages, admission=admission, clock=court.clock)
        for number in court.numbers
    ]


def templates_of(court: OwnerContext) -> TemplateSync:
    """Who keeps the catalogue of templates in step with WhatsApp."""
    return TemplateSync(
        TemplateRepository(court.database),
        court.graph,
        court.journal,
        court.clock,
        numbers=court.numbers,
        every_s=court.settings.template_sync_s,
    )


def concurrent_handlers(court: OwnerContext, keeping: MediaCommands, templates: TemplateSync) -> Mapping[str, Handler]:
    """Commands that call WhatsApp: they run side by side."""
    read_marks = ReadMarks(repository=court.messages, link_of=court.links.__getitem__, clock=court.clock)
    return {
        "message.mark_read": read_marks.mark_read,
        "media.delete": keeping.delete,
        "template.sync": templates.sync,
    }


def deliveries_of(court: OwnerContext) -> Deliveries:
    """The delivery engine of this reign: it hears of events as the journal writes them."""
    settings = court.settings
    feed = Feed(court.database, court.journal.reached)
    court.journal.listeners.append(feed.hear)
    return Deliveries(
        court.database,
        court.journal,
        box=court.box,
        feed=feed,
        names={
            number.phone_number_id: NumberNames(number.waba_id, number.display_phone_number) for number in court.numbers
        },
        is_owner=court.lease.is_held,
        clock=court.clock,
        policy=AddressPolicy(allow_private=settings.allow_private_urls, allow_http=not settings.is_production),
        options=DeliveryOptions(
            schedule=parse_schedule(settings.webhook_schedule),
            timeout_s=settings.webhook_timeout_s,
            concurrency=settings.webhook_concurrency,
            disable_after_s=settings.webhook_disable_days * 86_400,
            on_delivered=ENDPOINT_LAG_SECONDS.observe,
        ),
    )


def contact_events_of(court: OwnerContext) -> ContactEvents:
    """Who learns of contacts and their decisions from what customers do."""
    settings = court.settings
    return ContactEvents(
        court.contacts,
        court.clock,
        keywords=Keywords(opt_out=listed(settings.opt_out_words), opt_in=listed(settings.opt_in_words)),
        keyword_category=ConsentCategory(settings.opt_out_category),
        numbers=court.number_ids,
    )


def cluster_events_of(court: OwnerContext) -> list[BackgroundTask]:
    """What main writes on the board, where there is one."""
    if court.board is None:
        return []
    news = ClusterEvents(court.board, court.journal, court.number_ids[0], court.clock)
    return [BackgroundTask("news", news.step, poll_s=1.0)]


def numbers_of(court: OwnerContext) -> NumberSync:
    """Who keeps what we know of numbers in step with WhatsApp."""
    every_s = court.settings.template_sync_s
    return NumberSync(court.number_book, court.graph, court.journal, court.clock, every_s=every_s)


def background_tasks(
    court: OwnerContext, admission: LaneLoader, due: list[Due], *, templates: TemplateSync, numbers: NumberSync
) -> list[BackgroundTask]:
    """Everything that runs side by side during a reign."""
    court.campaigns.category_of = templates.category_of
    intake = Intake(
        database=court.database,
        journal=court.journal,
        ledger=court.ledger,
        directory=court.directory,
        repository=court.messages,
        dispatcher=court.dispatcher,
        keeper=contact_events_of(court),
        templates=templates,
        numbers=numbers,
        clock=court.clock,
    )
    deliveries = deliveries_of(court)
    endpoints = WebhookEndpointCommands(deliveries, court.database, court.clock)
    desk = CommandExecutor(
        court.database, court.journal, court.clock, handlers={**handlers(court), **endpoints.handlers()}
    )
    watchdog = Watchdog(court)
    freed = Freed(
        court.number_ids,
        governor=court.governor,
        repository=court.messages,
        admission=admission,
        journal=court.journal,
        clock=court.clock,
    )
    court.journal.listeners.append(freed.hear)
    released = Released(repository=court.messages, admission=admission)
    queue = Queue(
        {
            priority: [
                QueueReader(
                    number.phone_number_id,
                    priority,
                    repository=court.messages,
                    admission=admission,
                    clock=court.clock,
                    rate_per_s=partial(court.governor.rate_per_s, number.phone_number_id),
                    troubles=lambda: court.database.trouble_count,
                )
                for number in court.numbers
            ]
            for priority in Priority
        },
        bulk_every=BULK_EVERY if court.database.pacer.is_paced else 1,
    )
    depth = Depth(court.number_ids, queue=queue, lanes=court.lanes, repository=court.messages, admission=admission)
    rotation = SecretRotation(court.database, court.box, (VAULT_SECRETS, SESSION_SECRET), is_owner=court.lease.is_held)
    keeping = MediaCommands(court.media_records, court.blobs, court.media, court.graph, court.clock)
    errand_desk = ConcurrentExecutor(
        court.database, court.journal, handlers=concurrent_handlers(court, keeping, templates)
    )

    async def load_due() -> int:
        back = court.dispatcher.take_released()
        count = await released.load(back) if back else 0
        return count + sum([await reader.load() for reader in due])

    return [
        BackgroundTask("outbox", queue.load, MESSAGES, is_thorough=True, gather=GATHER),
        BackgroundTask("refill", partial(admission.refill, court.messages), poll_s=0.1),
        BackgroundTask("depth", depth.step, poll_s=5.0),
        BackgroundTask("due", load_due, poll_s=0.25),
        BackgroundTask("freed", freed.step, poll_s=0.25),
        BackgroundTask("intake", intake.ingest_new, NOTIFICATIONS, gather=GATHER),
        BackgroundTask("desk", desk.step, COMMANDS),
        BackgroundTask("watchdog", watchdog.step, poll_s=5.0),
        *cluster_events_of(court),
        BackgroundTask("deliveries", deliveries.run),
        BackgroundTask("errands", errand_desk.step, COMMANDS),
        BackgroundTask("campaigns", feeder_of(court).step, poll_s=0.25),
        BackgroundTask("secrets", rotation.step, poll_s=60.0),
        BackgroundTask("storage", storage_of(court).step, poll_s=5.0),
        BackgroundTask("media", keeping.sweep, poll_s=60.0),
        BackgroundTask("templates", templates.step, poll_s=0.5),
        BackgroundTask("numbers", numbers.step, poll_s=0.5),
        BackgroundTask("holds", Holds(court.governor, court.journal, court.clock).step, poll_s=0.5),
    ]
