"""A customer's message as the control API takes it, turned into the form in which Meta notifies it.

Process: sandbox.
"""

from services.sandbox.wire.notifications import Sender
from services.sandbox.wire.shapes import Json
from services.sandbox.world.messages import Message
from services.sandbox.world.world import World


def inbound_content(world: World, message: Json, *, sender: Sender, received: Message | None) -> tuple[str, Json]:
    """The kind, and the keys beyond from/id/timestamp/type. ValueError says what is wrong."""
    kind = message.get("type") or "text"
    content: Json = {}
    context = message.get("context")
    if isinstance(context, dict):
        content["context"] = context_of(context, sender)
    content[kind] = message.get(kind)
    return kind, content


def context_of(context: Json, sender: Sender) -> Json:
    """`{"message_id"}` as senders write it becomes `{"from", "id"}`; other keys (forwarded …) stay."""
    rest = {key: value for key, value in context.items() if key != "message_id"}
    wamid = context.get("message_id") or context.get("id")
    return {"from": sender.display_phone_number, "id": wamid, **rest} if wamid else rest
