"""The cloud webhook's inbox: raw notification stored first, 200 second, meaning third.

Process: worker.
"""

import hmac
from dataclasses import dataclass

from config.clock import Clock
from config.errors import RequestRefused
from config.ids import new_id, new_order
from services.cloud_webhook.signature import verify
from services.store import GroupCommit, RawNotification, notification_document


class BadSignature(RequestRefused):
    """The bytes are not signed with our app secret: they are not from Meta."""

    code = "bad_signature"
    default_text = "The signature does not fit the body."


class BadHandshake(RequestRefused):
    """Not a subscription with our verify token."""

    code = "bad_verify_token"
    default_text = "The verify token is not ours."


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """What Meta must know. Never logged."""

    app_secret: str
    verify_token: str

    def __repr__(self) -> str:
        """Say nothing."""
        return "WebhookSecrets(***)"


class WebhookInbox:
    """Checks and stores what Meta posts."""

    def __init__(self, *, inserts: GroupCommit, secrets: WebhookSecrets, clock: Clock) -> None:
        """No input or output."""
        self._inserts = inserts
        self._secrets = secrets
        self._clock = clock

    async def receive(self, body: bytes, signature: str | None) -> str:
        """Store one notification as it came; answer our id of it. Raises ``BadSignature`` or ``Unavailable``."""
        if not verify(body, signature, self._secrets.app_secret):
            raise BadSignature()
        notification = RawNotification(id=new_id("ntf"), order=new_order(), body=body, received_at=self._clock.now())
        await self._inserts.insert(notification_document(notification))
        return notification.id

    def challenge(self, mode: str | None, token: str | None, challenge: str | None) -> str:
        """Meta's handshake: the challenge to echo. Raises ``BadHandshake``."""
        is_ours = token is not None and hmac.compare_digest(token.encode(), self._secrets.verify_token.encode())
        if mode != "subscribe" or not is_ours or not challenge:
            raise BadHandshake()
        return challenge
