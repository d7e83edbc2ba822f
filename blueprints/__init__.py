"""The whole URL map on one screen: what is served where, and by which module.

Process: worker.
"""

from sanic import Blueprint

from blueprints.campaigns import bp as campaigns
from blueprints.capacity import bp as capacity
from blueprints.cloud_api.edges import bp as cloud_api
from blueprints.cloud_webhook import bp as cloud_webhook
from blueprints.cluster import bp as cluster
from blueprints.cluster import metrics_bp as metrics
from blueprints.console.api import bp as console_api
from blueprints.console.pages import bp as console_pages
from blueprints.contacts import bp as contacts
from blueprints.conversations import bp as conversations
from blueprints.docs import bp as docs
from blueprints.event_stream import bp as event_stream
from blueprints.events import bp as events
from blueprints.health import bp as health
from blueprints.keys import bp as keys
from blueprints.media import bp as media
from blueprints.messages import bp as messages
from blueprints.notifications import bp as notifications
from blueprints.numbers import bp as numbers
from blueprints.quick_replies import bp as quick_replies
from blueprints.templates import bp as templates
from blueprints.webhook_endpoints import bp as webhook_endpoints

API = Blueprint.group(
    messages,  # /v1/messages, /v1/messages/batch, /v1/messages/{id}
    conversations,  # /v1/conversations, /v1/conversations/{id}, …/{id}/messages
    quick_replies,  # /v1/quick-replies, /v1/quick-replies/{id}
    campaigns,  # /v1/campaigns, …/{id}/recipients, /preview, /dry-run, /start, /pause, /resume, /cancel
    contacts,  # /v1/contacts, /v1/contacts/import, …/export, …/{id}/opt-out
    media,  # /v1/media, /v1/media/{id}, …/{id}/content
    templates,  # /v1/templates, /v1/templates/{id}, /v1/templates/sync
    events,  # /v1/events
    event_stream,  # /v1/events/stream, /v1/events/ws
    notifications,  # /v1/notifications, …/{id}/replay
    webhook_endpoints,  # /v1/webhook-endpoints, …/{id}/test, /attempts, /dead-letters, /redeliver, …
    numbers,  # /v1/numbers, …/{id}/limits, /pause, /resume
    keys,  # /v1/keys
    capacity,  # /v1/capacity
    cluster,  # /v1/cluster
    url_prefix="/v1",
)

ALL = (
    API,
    cloud_webhook,  # /webhooks/whatsapp
    cloud_api,  # /{vN.M or nothing}/{id}/…: the drop-in for Meta's Cloud API
    health,  # /livez, /readyz
    metrics,  # /metrics
    console_api,  # /console/session, /console/history, /console/sandbox/…
    console_pages,  # /console, /console/assets/…
    docs,  # /openapi.json, /docs, /docs/errors, /docs/assets/…
)

__all__ = ["ALL", "API"]
