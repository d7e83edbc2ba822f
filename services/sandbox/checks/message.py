"""One message object as a client sends it: the part common to all kinds, then the kind's own checks.

Process: sandbox.

Source: Meta, "Messages" (limits, 2025-12) and what real clients send that is looser than the documentation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.sandbox.checks import interactive, template
from services.sandbox.checks.fields import choice_of
from services.sandbox.checks.interactive import check_interactive
from services.sandbox.checks.simple import check_contacts, check_location, check_media, check_reaction, check_text
from services.sandbox.checks.template import check_template
from services.sandbox.wire.faults import GraphFault, absent, missing
from services.sandbox.wire.shapes import Json

BIZ_DATA_CHARS = 512
PRODUCT_POLICIES = ("CLOUD_API_FALLBACK", "STRICT")
MEDIA_KINDS = ("audio", "document", "image", "sticker", "video")
KINDS = (
    "audio",
    "contacts",
    "document",
    "image",
    "interactive",
    "location",
    "reaction",
    "sticker",
    "template",
    "text",
    "video",
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A message that passed. `content` is the value under the kind's own key."""

    kind: str
    content: Any
    context: Json | None
    biz_opaque_callback_data: str | None

    def shown(self) -> Json:
        """The part that the phone's list shows."""
        body: Json = {self.kind: self.content}
        if self.context is not None:
            body["context"] = self.context
        return body


def check_message(body: Json) -> Checked:
    """GraphFault names the first thing that is wrong."""
    kind = body.get("type")
    if kind is None:
        kind = "text"
    if kind not in KINDS:
        raise GraphFault(100, f'Param type must be one of {{{", ".join(KINDS).upper()}}} - got "{kind}".')
    content = body.get(kind)
    if content is None:
        raise missing(kind)
    return Checked(kind, _checked(kind, content), _context_of(body, kind), _biz_of(body))


def check_marketing(body: Json) -> Json:
    """The two fields that only the Marketing Messages API has. Source: Meta, "Marketing Messages API" (2025-12)."""
    own: Json = {}
    if body.get("product_policy") is not None:
        own["product_policy"] = choice_of(body, "product_policy", where="body", among=PRODUCT_POLICIES)
    sharing = body.get("message_activity_sharing")
    if sharing is not None:
        if not isinstance(sharing, bool):
            raise GraphFault(100, "Param message_activity_sharing must be a boolean.")
        own["message_activity_sharing"] = sharing
    return own


def media_in(message: Checked) -> list[tuple[str, Json]]:
    """Every media object of a message with its kind, wherever it stands in it."""
    if message.kind in MEDIA_KINDS:
        return [(message.kind, message.content)]
    if message.kind == "interactive":
        return interactive.media_of(message.content)
    return template.media_of(message.content) if message.kind == "template" else []


def check_status_call(body: Json) -> str:
    """The wamid of a read mark. GraphFault when it is not one."""
    if body.get("status") != "read":
        raise GraphFault(100, f'Param status must be one of {{READ}} - got "{body.get("status")}".')
    wamid = body.get("message_id")
    if not isinstance(wamid, str) or not wamid:
        raise missing("message_id")
    indicator = body.get("typing_indicator")
    if indicator is not None and (not isinstance(indicator, dict) or indicator.get("type") != "text"):
        raise GraphFault(100, "Param typing_indicator['type'] must be one of {TEXT}.")
    return wamid


def _checked(kind: str, content: Any) -> Any:
    if kind in MEDIA_KINDS:
        return check_media(content, kind)
    return _CHECKS[kind](content)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "contacts": check_contacts,
    "interactive": check_interactive,
    "location": check_location,
    "reaction": check_reaction,
    "template": check_template,
    "text": check_text,
}


def _context_of(body: Json, kind: str) -> Json | None:
    context = body.get("context")
    if context is None:
        return None
    if not isinstance(context, dict):
        raise GraphFault(100, "Param context must be an object.")
    if kind == "reaction":
        raise GraphFault(100, "Param context is not allowed with a reaction.")
    if not context:
        return None
    if not isinstance(context.get("message_id"), str):
        raise absent("context: message_id is required.")
    return context


def _biz_of(body: Json) -> str | None:
    data = body.get("biz_opaque_callback_data")
    if data is None:
        return None
    if not isinstance(data, str):
        raise GraphFault(100, "Param biz_opaque_callback_data must be a string.")
    if len(data) > BIZ_DATA_CHARS:
        raise GraphFault(100, f"Param biz_opaque_callback_data must be at most {BIZ_DATA_CHARS} characters long.")
    return data
