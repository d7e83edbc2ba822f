"""Campaigns during one reign: the duty that feeds them, and the commands about them.

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


def campaign_handlers(court: OwnerContext) -> Mapping[str, Handler]:
    """Who carries out which command."""
    commands = CampaignCommands(
        court.campaigns,
        CampaignRepository(court.database),
        court.clock,
        is_ours=court.journal.seqs.__contains__,
        nudge=court.dispatcher.nudge,
    )
    return {
        "campaign.create": commands.create,
        "campaign.change": commands.change,
        "campaign.start": commands.start,
        "campaign.pause": commands.pause,
        "campaign.resume": commands.resume,
        "campaign.cancel": commands.cancel,
    }


def feeder_of(court: OwnerContext) -> CampaignFeeder:
    """The feeder of this reign."""
    return CampaignFeeder(
        court.database,
        book=court.campaigns,
        repository=CampaignRepository(court.database),
        contacts=ContactRepository(court.database),
        lists=RecipientLists(court.database, most=court.settings.campaign_max_recipients),
        consents=court.consents,
        people=court.directory,
        settling=Settling(court.ledger, court.dispatcher, court.journal, court.clock),
        recorder=court.journal,
        is_owner=court.lease.is_held,
        clock=court.clock,
        options=FeederOptions(outstanding=court.settings.campaign_outstanding),
    )
