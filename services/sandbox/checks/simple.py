"""Text, media, location, contacts and reactions.

Process: sandbox.

Source: Meta, "Text messages", "Media messages" and the pages of the other kinds (2025-12).
"""

from typing import Any

import orjson

from services.sandbox.checks.fields import link_of, list_of, object_of, optional_text, text_of
from services.sandbox.wire.faults import GraphFault, absent, invalid
from services.sandbox.wire.shapes import Json

TEXT_CHARS = 4096
CAPTION_CHARS = 1024
FILENAME_CHARS = 240
CONTACTS_MOST = 257
CAPTIONED = ("image", "video", "document")


def check_text(content: Any) -> Json:
    text = object_of(content, "text")
    text_of(text, "body", where="text", most=TEXT_CHARS, code_too_long=100)
    return text


def check_media(content: Any, kind: str) -> Json:
    """Exactly one of id and link. Whether the id exists is asked of the media store afterwards."""
    media = object_of(content, kind)
    media_id, link = media.get("id"), media.get("link")
    if media_id in (None, "") and link in (None, ""):
        raise absent(f"{kind}: one of id and link is required.")
    if media_id not in (None, "") and link not in (None, ""):
        raise GraphFault(100, f"Param {kind} must have one of id and link, not both.")
    if link not in (None, ""):
        link_of(media, "link", where=kind)
    if kind in CAPTIONED:
        optional_text(media, "caption", where=kind, most=CAPTION_CHARS)
    if kind == "document":
        optional_text(media, "filename", where=kind, most=FILENAME_CHARS)
    return media


def check_location(content: Any) -> Json:
    """Numbers, or strings of numbers, as two real clients send them."""
    location = object_of(content, "location")
    for key, bound in (("latitude", 90), ("longitude", 180)):
        value = location.get(key)
        if value in (None, ""):
            raise absent(f"location['{key}'] is required.")
        try:
            number = float(value) if not isinstance(value, bool | dict | list) else None
        except ValueError:
            number = None
        if number is None or not -bound <= number <= bound:
            raise invalid(f"location['{key}'] must be a number between -{bound} and {bound}.")
    optional_text(location, "name", where="location", most=1000)
    optional_text(location, "address", where="location", most=1000)
    return location


def check_contacts(content: Any) -> list[Any]:
    """A list, or the JSON text of one, as one real client sends it."""
    if isinstance(content, str):
        try:
            content = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise GraphFault(100, "Param contacts must be an array.") from error
    contacts = list_of(content, "contacts", least=1, most=CONTACTS_MOST)
    for at, contact in enumerate(contacts):
        where = f"contacts[{at}]"
        name = object_of(object_of(contact, where).get("name"), f"{where}['name']")
        text_of(name, "formatted_name", where=f"{where}['name']")
        for part in ("phones", "emails", "urls", "addresses"):
            list_of(contact.get(part), f"{where}['{part}']")
    return contacts


def check_reaction(content: Any) -> Json:
    """An empty or missing emoji takes the reaction back."""
    reaction = object_of(content, "reaction")
    text_of(reaction, "message_id", where="reaction")
    emoji = reaction.get("emoji")
    if emoji is not None and not isinstance(emoji, str):
        raise GraphFault(100, "Param reaction['emoji'] must be a string.")
    if emoji and (len(emoji) > 20 or emoji.isascii()):
        raise invalid("reaction['emoji'] must be one emoji.")
    return reaction
