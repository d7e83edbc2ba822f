"""Webhook endpoints: subscribers, and the deliveries to them. Everything that happens, in order, until it is taken.

Process: worker (endpoints), whatsapp (deliveries).
"""

from services.webhook_endpoints.commands import WebhookEndpointCommands
from services.webhook_endpoints.courier import DeliveryOptions
from services.webhook_endpoints.desk import EndpointView, NoAnswerYet, WebhookEndpoints
from services.webhook_endpoints.documents import VAULT_SECRETS
from services.webhook_endpoints.engine import Deliveries
from services.webhook_endpoints.feed import Feed
from services.webhook_endpoints.meta_format import NumberNames
from services.webhook_endpoints.order import EndpointOrder, parse_endpoint, parse_redelivery
from services.webhook_endpoints.projection import project_webhook_endpoint
from services.webhook_endpoints.records import Attempt, DeadLetter, Endpoint, EndpointStatus, WebhookFormat
from services.webhook_endpoints.repository import WebhookRepository
from services.webhook_endpoints.schedule import Schedule, parse_schedule

__all__ = [
    "VAULT_SECRETS",
    "Attempt",
    "DeadLetter",
    "Deliveries",
    "DeliveryOptions",
    "Endpoint",
    "EndpointOrder",
    "EndpointStatus",
    "EndpointView",
    "Feed",
    "NoAnswerYet",
    "NumberNames",
    "Schedule",
    "WebhookEndpointCommands",
    "WebhookEndpoints",
    "WebhookFormat",
    "WebhookRepository",
    "parse_endpoint",
    "parse_redelivery",
    "parse_schedule",
    "project_webhook_endpoint",
]
