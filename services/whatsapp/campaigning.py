"""Campaigns during one term: the background_task that feeds them, and the commands about them.

Process: whatsapp.
"""

from collections.abc import Mapping

from services.campaigns import (
    CampaignCommands,
    CampaignFeeder,
    CampaignRepository,
    FeederOptions,
    RecipientLists,
    Settling,
)
from services.commands import Handler
from services.contacts import ContactRepository
from services.whatsapp.context import OwnerContext


def campaign_handlers(context: OwnerContext) -> Mapping[str, Handler]:
    """Who carries out which command."""
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


def feeder_of(context: OwnerContext) -> CampaignFeeder:
    """The feeder of this term."""
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
