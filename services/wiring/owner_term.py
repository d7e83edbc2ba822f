"""Builds the state of one term of the owner: lanes, limits, projections and everything between queue and link.

Process: whatsapp.
"""

from services.campaigns import CampaignRepository, CampaignState, project_campaign
from services.contacts import ConsentState, ContactEditor, ContactState, project_contact
from services.conversations import ConversationState, project_conversation
from services.events import EventWriter
from services.links import Link
from services.media import BUCKET, MediaForSending, MediaRepository, MediaService, project_media
from services.messages import MessageRepository, MessageState, project_message
from services.numbers import Number, NumberState, project_number
from services.sending import Dispatcher, Lanes, PreparedLink, RateLimiter, SendPolicy, limits_of, set_number
from services.store import Blobs, Event, VersionedWrite
from services.telemetry.scoreboard import Scoreboard
from services.webhook_endpoints import project_webhook_endpoint
from services.wiring.owner import Owner
from services.wiring.owner_context import OwnerContext

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
    """Return the writes of every noun for one event."""
    return [write for of_noun in PROJECTIONS for write in of_noun(event)]


def build_context(
    owner: Owner,
    *,
    links: dict[str, Link],
    numbers: list[Number],
    seqs: dict[str, int],
    scoreboard: Scoreboard | None = None,
) -> OwnerContext:
    """Build the context of one term. It does no I/O and starts no task; call it on the event loop.

    ``links`` is the transport and ``seqs`` the last event number of each phone_number_id.
    """
    database, lease, clock = owner.database, owner.lease, owner.clock
    messages = MessageRepository(database)
    event_writer = EventWriter(database, lease, seqs=seqs, project=project)
    message_state = MessageState(messages)
    lanes = Lanes()
    contact_state, consents = ContactState(database), ConsentState(database)
    conversations = ConversationState(
        database, numbers=[number.phone_number_id for number in numbers], aliases=contact_state
    )
    rate_limiter = RateLimiter(clock.monotonic)
    for number in numbers:
        set_number(rate_limiter, number, owner.limits)
    number_state = NumberState(
        numbers,
        on_change=lambda number: rate_limiter.set_limits(number.phone_number_id, limits_of(number, owner.limits)),
    )
    campaigns = CampaignState(CampaignRepository(database))
    policy = SendPolicy(
        rate_limiter,
        standing_of=conversations.standing,
        consents=consents,
        is_marketing=campaigns.is_marketing,
        hold_of=campaigns.hold_of,
    )
    media_records, blobs = MediaRepository(database), Blobs(database, BUCKET)
    media_service = MediaService(media_records, blobs, owner.graph, clock)
    media = MediaForSending(media_service, media_records, owner.graph, clock)
    prepared = {name: PreparedLink(link, message_state=message_state, media=media) for name, link in links.items()}
    dispatcher = Dispatcher(
        lanes=lanes,
        message_state=message_state,
        recorder=event_writer,
        policy=policy,
        answers=owner.answers,
        link_of=prepared.__getitem__,
        is_owner=lease.is_held,
        clock=clock,
        options=owner.dispatch_options,
    )
    conversations.mergers.append(dispatcher.merge)
    return OwnerContext(
        settings=owner.settings,
        database=database,
        box=owner.box,
        session=owner.session,
        lease=lease,
        change_notifier=owner.change_notifier,
        clock=clock,
        numbers=numbers,
        links=prepared,
        event_writer=event_writer,
        message_state=message_state,
        lanes=lanes,
        conversations=conversations,
        dispatcher=dispatcher,
        rate_limiter=rate_limiter,
        consents=consents,
        contact_state=contact_state,
        contacts=ContactEditor(contact_state, consents, conversations),
        campaigns=campaigns,
        messages=messages,
        graph=owner.graph,
        media=media,
        media_records=media_records,
        blobs=blobs,
        number_state=number_state,
        scoreboard=scoreboard,
    )
