"""The last step before a link: ids that only we know become ids that WhatsApp knows.

Process: whatsapp.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from services.graph import classify
from services.links import Link, LinkKind, LinkState, NotSubmitted, OutgoingMessage, SendRefused, Submitted
from services.messages import MessageState, message_id_of

log = logging.getLogger(__name__)

NO_SUCH_TARGET = 131009


class MediaSource(Protocol):
    """Media of ours on their way to WhatsApp."""

    async def prepared(self, phone_number_id: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload with WhatsApp's media ids. Raises ``SendRefused`` or ``NotSubmitted``."""
        ...


class PreparedLink:
    """A ``Link`` that translates what a message refers to, and hands it to the link behind it.

    A quote or a reaction may name one of our messages by our id or by the wamid that the drop-in answered. A quoted
    message that never got a wamid costs the quote, not the message; a reaction to one is refused.
    """

    def __init__(self, inner: Link, *, message_state: MessageState, media: MediaSource) -> None:
        """No input or output."""
        self._inner = inner
        self._message_state = message_state
        self._media = media

    @property
    def kind(self) -> LinkKind:
        """The kind of the link behind it."""
        return self._inner.kind

    @property
    def state(self) -> LinkState:
        """The state of the link behind it."""
        return self._inner.state

    async def send(self, order: OutgoingMessage) -> Submitted:
        """Translate, then send. What goes wrong before the send has provably not left: ``NotSubmitted``."""
        try:
            prepared = await self._prepared(order)
        except (SendRefused, NotSubmitted):
            raise
        except Exception as error:
            # A database that is away, or a bug of ours: the link has not been asked yet, so there is no doubt.
            log.exception(
                "A message could not be prepared.", extra={"action": "link.unprepared", "message_id": order.id}
            )
            raise NotSubmitted(detail=f"preparing {order.id}: {type(error).__name__}: {error}") from error
        return await self._inner.send(prepared)

    async def _prepared(self, order: OutgoingMessage) -> OutgoingMessage:
        payload = dict(order.payload)
        context = await self._wamid(order.context_wamid) if order.context_wamid is not None else None
        reaction = payload.get("reaction")
        if payload.get("type") == "reaction" and isinstance(reaction, Mapping):
            target = await self._wamid(str(reaction.get("message_id", "")))
            if target is None:
                rule = classify(NO_SUCH_TARGET)
                details = "reaction: the message that it belongs to is unknown, or was never sent."
                raise SendRefused(rule, title=rule.title, details=details)
            payload["reaction"] = {**reaction, "message_id": target}
        payload = await self._media.prepared(order.phone_number_id, payload)
        return replace(order, payload=payload, context_wamid=context)

    async def mark_read(self, phone_number_id: str, wamid: str, *, shows_typing: bool = False) -> None:
        """Customers' messages have WhatsApp's own ids: nothing to translate."""
        await self._inner.mark_read(phone_number_id, wamid, shows_typing=shows_typing)

    async def _wamid(self, reference: str) -> str | None:
        """WhatsApp's id of what is meant; None for a message of ours that has none."""
        message_id = message_id_of(reference)
        if message_id is None:
            return reference
        await self._message_state.load([message_id], [])
        tracked = self._message_state.get(message_id)
        return tracked.wamid if tracked is not None else None
