"""The last step before a link: replaces our ids by WhatsApp's.

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
    """Uploads our media to WhatsApp."""

    async def prepared(self, phone_number_id: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return the payload with WhatsApp's media ids. Raises ``SendRefused`` or ``NotSubmitted``."""
        ...


class PreparedLink:
    """A ``Link`` that translates the ids in a message, then sends it through the link behind it.

    A quote or a reaction may name one of our messages by our id or by the wamid that the drop-in answered. If the
    quoted message never got a wamid, the message leaves without the quote; a reaction to it is refused.
    """

    def __init__(self, inner: Link, *, message_state: MessageState, media: MediaSource) -> None:
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

    async def send(self, outgoing: OutgoingMessage) -> Submitted:
        """Translate, then send. Any failure before the send proves that nothing left: ``NotSubmitted``.

        Raises ``SendRefused``, ``NotSubmitted`` and ``OutcomeUnknown``.
        """
        try:
            prepared = await self._prepared(outgoing)
        except (SendRefused, NotSubmitted):
            raise
        except Exception as error:
            # No database, or a bug of ours: the link was not called yet, so there is no doubt.
            log.exception(
                "A message could not be prepared.", extra={"action": "link.unprepared", "message_id": outgoing.id}
            )
            raise NotSubmitted(detail=f"preparing {outgoing.id}: {type(error).__name__}: {error}") from error
        return await self._inner.send(prepared)

    async def _prepared(self, outgoing: OutgoingMessage) -> OutgoingMessage:
        payload = dict(outgoing.payload)
        context = await self._wamid(outgoing.context_wamid) if outgoing.context_wamid is not None else None
        reaction = payload.get("reaction")
        if payload.get("type") == "reaction" and isinstance(reaction, Mapping):
            target = await self._wamid(str(reaction.get("message_id", "")))
            if target is None:
                rule = classify(NO_SUCH_TARGET)
                details = "reaction: the message that it belongs to is unknown, or was never sent."
                raise SendRefused(rule, title=rule.title, details=details)
            payload["reaction"] = {**reaction, "message_id": target}
        payload = await self._media.prepared(outgoing.phone_number_id, payload)
        return replace(outgoing, payload=payload, context_wamid=context)

    async def mark_read(self, phone_number_id: str, wamid: str, *, shows_typing: bool = False) -> None:
        """Mark a customer's message as read. Its id is WhatsApp's already: nothing to translate."""
        await self._inner.mark_read(phone_number_id, wamid, shows_typing=shows_typing)

    async def _wamid(self, reference: str) -> str | None:
        """Return the wamid of a reference; None for a message of ours without one."""
        message_id = message_id_of(reference)
        if message_id is None:
            return reference
        await self._message_state.load([message_id], [])
        tracked = self._message_state.get(message_id)
        return tracked.wamid if tracked is not None else None
