"""Builds the handlers of the commands that workers send to the owner.

Process: whatsapp.
"""

from collections.abc import Mapping
from functools import partial

from services.campaigns import CampaignCommands, CampaignRepository
from services.commands import Handler
from services.console import quick_reply_commands
from services.contacts import ContactCommands
from services.conversations import ConversationCommands
from services.keys import key_commands
from services.media import MediaCommands
from services.messages import Message
from services.numbers import NumberCommands
from services.sending import MessageCommands, ReadMarks, contact_of
from services.templates import TemplateSync
from services.wiring.owner_context import OwnerContext


def handlers(context: OwnerContext) -> Mapping[str, Handler]:
    """Return the handler of each command that runs in turn, without those of webhook endpoints."""
    messages = MessageCommands(
        message_state=context.message_state,
        repository=context.messages,
        dispatcher=context.dispatcher,
        clock=context.clock,
        load_recipient=partial(load_recipient, context),
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
        **_campaign_handlers(context),
    }


def concurrent_handlers(context: OwnerContext, media: MediaCommands, templates: TemplateSync) -> Mapping[str, Handler]:
    """Return the handler of each command that calls WhatsApp. They run at the same time."""
    read_marks = ReadMarks(repository=context.messages, link_of=context.links.__getitem__, clock=context.clock)
    return {
        "message.mark_read": read_marks.mark_read,
        "media.delete": media.delete,
        "template.sync": templates.sync,
    }


def _campaign_handlers(context: OwnerContext) -> Mapping[str, Handler]:
    commands = CampaignCommands(
        context.campaigns,
        CampaignRepository(context.database),
        context.clock,
        is_ours=context.event_writer.seqs.__contains__,
        nudge=context.dispatcher.nudge,
    )
    return {
        "campaign.create": commands.create,
        "campaign.change": commands.change,
        "campaign.start": commands.start,
        "campaign.pause": commands.pause,
        "campaign.resume": commands.resume,
        "campaign.cancel": commands.cancel,
    }


async def load_recipient(context: OwnerContext, message: Message) -> None:
    """Load into memory what the send policy must know of a message's recipient. Raises ``Unavailable``."""
    contact = contact_of(message)
    await context.consents.load([contact.key])
    await context.conversations.load([contact])
