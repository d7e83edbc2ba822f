"""A customer's message as the control API takes it, turned into the form in which Meta notifies it.

Process: sandbox.

Source: Meta, "messages webhook" (2026-09-11) and the fixtures of pywa for each kind.
"""

import base64
import binascii
import re
from collections.abc import Callable

import orjson

from services.sandbox.wire.faults import status_error
from services.sandbox.wire.notifications import Sender
from services.sandbox.wire.shapes import Json
from services.sandbox.world.mediastore import SAMPLE_TYPES, SAMPLES, MediaStore
from services.sandbox.world.messages import Message
from services.sandbox.world.press import pressed
from services.sandbox.world.world import World

MEDIA_SAMPLES = {"image": "jpg", "video": "mp4", "audio": "ogg", "document": "pdf", "sticker": "webp"}
_SAMPLE_LINK = re.compile(r"/_sandbox/sample\.(\w+)$")
Turned = tuple[str, Json]


def inbound_content(world: World, message: Json, *, sender: Sender, received: Message | None) -> Turned:
    """The kind, and the keys beyond from/id/timestamp/type. ValueError says what is wrong.

    Kinds that this does not know are notified as they are: a test may want one that Meta invents tomorrow.
    """
    kind = message.get("type") or "text"
    if not isinstance(kind, str):
        raise ValueError("type: a word")
    if kind == "press":
        kind, content = pressed(world, message, received, number=sender.phone_number_id)
        wamid = content.pop("pressed_wamid")
        content = {"context": {"from": sender.display_phone_number, "id": wamid}, **content}
    elif kind in MEDIA_SAMPLES:
        content = {kind: _media(world, kind, message.get(kind), sender)}
    elif kind in _TURNS:
        content = {kind: _TURNS[kind](message)}
    elif kind == "unsupported":
        content = {"errors": [status_error(131051)], "unsupported": message.get("unsupported") or {"type": "unknown"}}
    else:
        content = {kind: message[kind]} if kind in message else {}
    context = message.get("context")
    if isinstance(context, dict):
        content = {"context": context_of(context, sender), **content}
    return kind, content


def context_of(context: Json, sender: Sender) -> Json:
    """`{"message_id"}` as senders write it becomes `{"from", "id"}`; other keys (forwarded …) stay."""
    rest = {key: value for key, value in context.items() if key not in ("message_id", "id", "from")}
    wamid = context.get("message_id") or context.get("id")
    return {"from": context.get("from") or sender.display_phone_number, "id": wamid, **rest} if wamid else rest


def _text(message: Json) -> Json:
    text = message.get("text")
    if not isinstance(text, dict) or not isinstance(text.get("body"), str):
        raise ValueError("text.body: a text")
    return text


def _location(message: Json) -> Json:
    location = _object(message, "location")
    try:
        return {**location, "latitude": float(location["latitude"]), "longitude": float(location["longitude"])}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("location: latitude and longitude, as numbers") from error


def _reaction(message: Json) -> Json:
    reaction = _object(message, "reaction")
    if not isinstance(reaction.get("message_id"), str):
        raise ValueError("reaction.message_id: the wamid it belongs to")
    return reaction


def _interactive(message: Json) -> Json:
    """Replies are given as Meta notifies them; a flow's answer may be an object, and leaves as text of JSON."""
    interactive = _object(message, "interactive")
    flow = interactive.get("nfm_reply")
    if isinstance(flow, dict) and not isinstance(flow.get("response_json"), str):
        text = orjson.dumps(flow.get("response_json") or {}).decode("utf-8")
        flow = {"name": "flow", "body": "Sent", **flow, "response_json": text}
        interactive = {"type": "nfm_reply", **interactive, "nfm_reply": flow}
    return interactive


def _contacts(message: Json) -> list[Json]:
    contacts = message.get("contacts")
    if not isinstance(contacts, list):
        raise ValueError("contacts: a list")
    return contacts


def _order(message: Json) -> Json:
    order = _object(message, "order")
    if not isinstance(order.get("product_items"), list):
        raise ValueError("order.product_items: a list")
    return order


def _revoke(message: Json) -> Json:
    """Edits and deletions name the message that they change."""
    kind = str(message["type"])
    change = _object(message, kind)
    if not isinstance(change.get("original_message_id"), str):
        raise ValueError(f"{kind}.original_message_id: the wamid it changes")
    return change


def _any(message: Json) -> Json:
    return _object(message, str(message["type"]))


_TURNS: dict[str, Callable[[Json], Json | list[Json]]] = {
    "text": _text,
    "location": _location,
    "reaction": _reaction,
    "interactive": _interactive,
    "contacts": _contacts,
    "order": _order,
    "edit": _revoke,
    "revoke": _revoke,
    "system": _any,
    "button": _any,
}


def _object(message: Json, key: str) -> Json:
    value = message.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"{key}: an object")
    return value


def _media(world: World, kind: str, given: object, sender: Sender) -> Json:
    """Media of an id, of a sample, or of bytes in base64; a sample that fits the kind where nothing is said."""
    wish: Json = given if isinstance(given, dict) else {}
    store = MediaStore(world)
    if wish.get("id"):
        media = store.get(str(wish["id"]))
        if media is None or media["phone_number_id"] != sender.phone_number_id:
            raise ValueError(f"{kind}.id: this number has no such media")
    else:
        data, mime_type = _bytes_of(kind, wish)
        number = sender.phone_number_id
        media = store.add(data, mime_type=mime_type, phone_number_id=number, is_inbound=True)
    facts = store.notified(media)
    if kind == "audio":
        facts["voice"] = bool(wish.get("voice", True))
        if facts["voice"] and facts["mime_type"] == "audio/ogg":
            facts["mime_type"] = "audio/ogg; codecs=opus"
    if kind == "sticker":
        facts["animated"] = bool(wish.get("animated", False))
    if kind == "document":
        facts["filename"] = str(wish.get("filename") or media.get("filename") or "sample.pdf")
    if wish.get("caption"):
        facts["caption"] = wish["caption"]
    return facts


def _bytes_of(kind: str, wish: Json) -> tuple[bytes, str]:
    if wish.get("data_base64"):
        try:
            data = base64.b64decode(str(wish["data_base64"]), validate=True)
        except binascii.Error as error:
            raise ValueError(f"{kind}.data_base64: not base64") from error
        return data, str(wish.get("mime_type") or SAMPLE_TYPES[MEDIA_SAMPLES[kind]])
    ending = str(wish.get("sample") or MEDIA_SAMPLES[kind])
    if wish.get("link"):
        found = _SAMPLE_LINK.search(str(wish["link"]))
        if found is None:
            raise ValueError(f"{kind}: give id, data_base64, or a link to /_sandbox/sample.…; others are not fetched")
        ending = found.group(1)
    if ending not in SAMPLE_TYPES:
        raise ValueError(f"{kind}.sample: one of {', '.join(SAMPLE_TYPES)}")
    return (SAMPLES / f"sample.{ending}").read_bytes(), str(wish.get("mime_type") or SAMPLE_TYPES[ending])
