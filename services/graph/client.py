"""The Graph API as a link needs it: send, mark as read. `call` is for the rest (media, templates, numbers).

Process: whatsapp, worker (media and templates).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from config.errors import RequestRefused
from services.graph.outcomes import GraphUnknown
from services.graph.transport import GraphAnswer, GraphTransport, WitnessedForm
from services.graph.usage import NO_USAGE, Usage


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """WhatsApp took a message. `wa_id` may differ from the number that was asked for; it is missing for some users.

    `message_status` is `accepted` or `held_for_quality_assessment`, for templates.
    """

    wamid: str
    wa_id: str | None
    user_id: str | None
    message_status: str | None
    usage: Usage = NO_USAGE


class GraphClient:
    """Knows the shapes of the Graph API and nothing of ours. Tokens come with each call: one client serves all numbers.

    Every call raises GraphRefused, GraphUnreachable, GraphUnsendable or GraphUnknown. With `app_secret`, each call
    is proved by `appsecret_proof` (Meta: "Secure Graph API calls").
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        version: str,
        timeout_s: float,
        app_secret: str | None = None,
    ) -> None:
        self._transport = GraphTransport(session, base_url=base_url, version=version, timeout_s=timeout_s)
        self._app_secret = app_secret

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str,
        json_body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        form: WitnessedForm | None = None,
        timeout_s: float | None = None,
    ) -> GraphAnswer:
        """Any call. Build `path` with `graph_path`, so that an id of a caller cannot walk to another object."""
        if self._app_secret:
            params = {**(params or {}), "appsecret_proof": appsecret_proof(token, self._app_secret)}
        return await self._transport.call(
            method, path, token=token, json_body=json_body, params=params, form=form, timeout_s=timeout_s
        )

    async def send_message(
        self, phone_number_id: str, token: str, body: Mapping[str, Any], *, edge: str = "messages"
    ) -> SendAnswer:
        """Send a Cloud API message object. An answer without a message id counts as unknown, not as sent.

        The Marketing Messages API takes the same objects at its own edge, ``marketing_messages``.
        """
        answer = await self.call("POST", graph_path(phone_number_id, edge), token=token, json_body=body)
        message = _first(answer.body.get("messages"))
        contact = _first(answer.body.get("contacts"))
        wamid = _text(message.get("id"))
        if wamid is None:
            keys = sorted(answer.body)[:8]
            raise GraphUnknown(detail=f"HTTP {answer.http_status} without messages[0].id; it has {keys}")
        return SendAnswer(
            wamid=wamid,
            wa_id=_text(contact.get("wa_id")),
            user_id=_text(contact.get("user_id")),
            message_status=_text(message.get("message_status")),
            usage=answer.usage,
        )

    async def mark_read(self, phone_number_id: str, token: str, wamid: str, *, shows_typing: bool = False) -> None:
        """Mark an inbound message, and all before it, as read; optionally show "typing…" for up to 25 s."""
        body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
        if shows_typing:
            body["typing_indicator"] = {"type": "text"}
        await self.call("POST", graph_path(phone_number_id, "messages"), token=token, json_body=body)


def graph_path(*segments: str) -> str:
    """A path below the version, each segment quoted: `graph_path("106540352242922", "messages")`.

    RequestRefused for a segment that would name another object than it says: an empty one, `.` or `..`.
    """
    if any(segment in ("", ".", "..") for segment in segments):
        raise RequestRefused("This is not an id of WhatsApp.", code="not_found")
    return "/".join(quote(segment, safe="") for segment in segments)


def appsecret_proof(token: str, app_secret: str) -> str:
    """HMAC-SHA256 of the token under the app secret, in hexadecimal.

    Source: Meta, "Secure Graph API calls" (developers.facebook.com/docs/graph-api/guides/secure-requests), 2026.
    """
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _first(value: object) -> dict[str, Any]:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
