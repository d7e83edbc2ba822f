"""The cloud webhook's inbox: raw notification stored first, 200 second, meaning third.

Process: worker.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.clock import Clock
from config.errors import RequestRefused, Unavailable
from config.ids import new_id, new_order
from services.cloud_webhook.signature import verify
from services.store import (
    NOTIFICATIONS,
    Database,
    GroupCommit,
    IntakeFull,
    Promise,
    RawNotification,
    StorageFull,
    notification_document,
)

MOST_WAITING_BYTES = 64 << 20
"""Notifications that wait for the database in one worker; past it 503, and Meta comes again."""


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


@dataclass(frozen=True, slots=True)
class StoredNotification:
    """A notification as it was posted, and what became of it."""

    id: str
    order: int
    state: str
    body: bytes
    received_at: datetime
    replay_of: str | None


class StoringNotification:
    """A notification that is being stored. ``done`` is set when the database has answered; nobody may cancel it."""

    __slots__ = ("done",)

    def __init__(self, done: Promise) -> None:
        self.done = done

    def result(self) -> None:
        """Nothing, once it is stored. Raises ``Unavailable``."""
        try:
            self.done.result()
        except StorageFull as error:
            raise _come_again(error) from error


class CloudWebhookService:
    """Checks and stores what Meta posts."""

    def __init__(self, database: Database, *, inserts: GroupCommit, secrets: WebhookSecrets, clock: Clock) -> None:
        self._database = database
        self._waiting_bytes = 0
        self._inserts = inserts
        self._secrets = secrets
        self._clock = clock

    async def receive(self, body: bytes, signature: str | None) -> str:
        """Store one notification as it came; answer our id of it. Raises ``BadSignature`` or ``Unavailable``."""
        if not verify(body, signature, self._secrets.app_secret):
            raise BadSignature()
        try:
            return await self._store(body)
        except StorageFull as error:
            raise _come_again(error) from error

    def begin(self, body: bytes, signature: str | None) -> StoringNotification | None:
        """The same as ``receive``, begun at once. None: nothing was begun, and ``receive`` says why."""
        if self._inserts.is_full or not self._has_room(body) or not verify(body, signature, self._secrets.app_secret):
            return None
        done = self._inserts.begin([notification_document(self._notification(body))])
        self._waiting_bytes += len(body)
        done.add_done_callback(lambda _: self._give_back(body))
        return StoringNotification(done)

    async def replay(self, notification_id: str) -> str:
        """Take a stored notification in once more, behind all that wait; answers the id of the copy.

        What was understood the first time is recognised by its content and changes nothing. Raises ``RequestRefused``
        (``not_found``, also when retention took it) or ``Unavailable``.
        """
        stored = await self.find(notification_id)
        return await self._store(stored.body, replay_of=stored.id)

    async def find(self, notification_id: str) -> StoredNotification:
        """One stored notification. Raises ``RequestRefused`` (``not_found``)."""
        found = await self._database.find_one(NOTIFICATIONS, {"_id": notification_id})
        if found is None:
            raise RequestRefused("There is no such notification, or its retention is over.", code="not_found")
        return _stored(found)

    async def page(self, state: str, *, before: int | None, limit: int) -> list[StoredNotification]:
        """Stored notifications in one state (``new``, ``done``, ``failed``), the newest first."""
        query: dict[str, Any] = {"state": state}
        if before is not None:
            query["order"] = {"$lt": before}
        found = await self._database.find(NOTIFICATIONS, query, sort=[("state", -1), ("order", -1)], limit=limit)
        return [_stored(document) for document in found]

    async def _store(self, body: bytes, *, replay_of: str | None = None) -> str:
        notification = self._notification(body)
        document = notification_document(notification)
        if replay_of is not None:
            document["replay_of"] = replay_of
        if not self._has_room(body):
            raise IntakeFull(detail=f"{self._waiting_bytes} bytes of notifications wait for the database")
        self._waiting_bytes += len(body)
        try:
            await self._inserts.insert(document)
        finally:
            self._give_back(body)
        return notification.id

    def _notification(self, body: bytes) -> RawNotification:
        return RawNotification(id=new_id("ntf"), order=new_order(), body=body, received_at=self._clock.now())

    def _has_room(self, body: bytes) -> bool:
        return self._waiting_bytes + len(body) <= MOST_WAITING_BYTES

    def _give_back(self, body: bytes) -> None:
        self._waiting_bytes -= len(body)

    def challenge(self, mode: str | None, token: str | None, challenge: str | None) -> str:
        """Meta's handshake: the challenge to echo. Raises ``BadHandshake``."""
        is_ours = token is not None and hmac.compare_digest(token.encode(), self._secrets.verify_token.encode())
        if mode != "subscribe" or not is_ours or not challenge:
            raise BadHandshake()
        return challenge


def _come_again(error: StorageFull) -> Unavailable:
    """Meta repeats for days what is unavailable: by then there may be room."""
    return Unavailable("It cannot be stored now. Send it again.", detail=str(error), retry_after_s=60)


def _stored(document: Mapping[str, Any]) -> StoredNotification:
    return StoredNotification(
        id=document["_id"],
        order=int(document["order"]),
        state=document["state"],
        body=bytes(document["body"]),
        received_at=document["received_at"],
        replay_of=document.get("replay_of"),
    )
