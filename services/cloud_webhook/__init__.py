"""What Meta posts to us: its signature, and its meaning as typed changes."""

from services.cloud_webhook.changes import (
    AccountUpdate,
    AnyChange,
    Change,
    InboundMessage,
    Notification,
    NumberUpdate,
    PlatformError,
    PlatformErrors,
    Sender,
    StatusKind,
    StatusUpdate,
    TemplateUpdate,
    UnknownChange,
    UserPreference,
)
from services.cloud_webhook.notification import parse_notification
from services.cloud_webhook.service import (
    BadHandshake,
    BadSignature,
    CloudWebhookService,
    StoredNotification,
    WebhookSecrets,
)
from services.cloud_webhook.signature import signature_of, verify

__all__ = [
    "AccountUpdate",
    "AnyChange",
    "BadHandshake",
    "BadSignature",
    "Change",
    "CloudWebhookService",
    "InboundMessage",
    "Notification",
    "NumberUpdate",
    "PlatformError",
    "PlatformErrors",
    "Sender",
    "StatusKind",
    "StatusUpdate",
    "StoredNotification",
    "TemplateUpdate",
    "UnknownChange",
    "UserPreference",
    "WebhookSecrets",
    "parse_notification",
    "signature_of",
    "verify",
]
