"""Campaigns: one template to many people, once each, as fast as its plan and the number allow.

Process: worker, whatsapp.
"""

from services.campaigns.commands import CampaignCommands
from services.campaigns.documents import CAMPAIGNS, RECIPIENTS
from services.campaigns.feeder import CampaignFeeder, FeederOptions
from services.campaigns.projection import project_campaign
from services.campaigns.recipients import ListReport, RecipientLists
from services.campaigns.records import Campaign, CampaignCategory, CampaignStatus, Recipient
from services.campaigns.repository import CampaignRepository
from services.campaigns.requests import CampaignRequest, parse_campaign, parse_changes, parse_people
from services.campaigns.service import CampaignService, DryRun
from services.campaigns.settling import Settling
from services.campaigns.state import CampaignState

__all__ = [
    "CAMPAIGNS",
    "RECIPIENTS",
    "Campaign",
    "CampaignCategory",
    "CampaignCommands",
    "CampaignFeeder",
    "CampaignRepository",
    "CampaignRequest",
    "CampaignService",
    "CampaignState",
    "CampaignStatus",
    "DryRun",
    "FeederOptions",
    "ListReport",
    "Recipient",
    "RecipientLists",
    "Settling",
    "parse_campaign",
    "parse_changes",
    "parse_people",
    "project_campaign",
]
