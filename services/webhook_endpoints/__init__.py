"""Webhook endpoints: subscribers, and the deliveries to them. Everything that happens, in order, until it is taken.

Process: worker (endpoints), whatsapp (deliveries).
"""

from services.webhook_endpoints.commands import WebhookEndpointCommands
from services.webhook_endpoints.documents import VAULT_SECRETS
from services.webhook_endpoints.endpoint_worker import DeliveryOptions
from services.webhook_endpoints.engine import Deliveries
from services.webhook_endpoints.feed import Feed
from services.webhook_endpoints.meta_format import NumberNames
from services.webhook_endpoints.projection import project_webhook_endpoint
from services.webhook_endpoints.records import Attempt, DeadLetter, Endpoint, EndpointStatus, WebhookFormat
from services.webhook_endpoints.repository import WebhookRepository
from services.webhook_endpoints.requests import EndpointRequest, parse_endpoint, parse_redelivery, parse_rotation
from services.webhook_endpoints.schedule import Schedule, parse_schedule
from services.webhook_endpoints.service import EndpointView, NoAnswerYet, WebhookEndpointService

__all__ = [
    "VAULT_SECRETS",
    "Attempt",
    "DeadLetter",
    "Deliveries",
    "DeliveryOptions",
    "Endpoint",
    "EndpointRequest",
    "EndpointStatus",
    "EndpointView",
    "Feed",
    "NoAnswerYet",
    "NumberNames",
    "Schedule",
    "WebhookEndpointCommands",
    "WebhookEndpointService",
    "WebhookFormat",
    "WebhookRepository",
    "parse_endpoint",
    "parse_redelivery",
    "parse_rotation",
    "parse_schedule",
    "project_webhook_endpoint",
]
