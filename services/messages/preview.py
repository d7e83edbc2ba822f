"""A message in a few words, for lists.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from typing import Any

_MEDIA = ("image", "video", "audio", "document", "sticker")


def preview_text(kind: str, payload: Mapping[str, Any]) -> str:
    """What a list shows of a message of this kind; empty when there is nothing to read in it."""
    body = payload.get(kind)
    if not isinstance(body, Mapping):
        return ""
    if kind == "text":
        return str(body.get("body", ""))
    if kind in _MEDIA:
        return str(body.get("caption") or body.get("filename") or "")
    if kind == "template":
        return str(body.get("name", ""))
    if kind == "reaction":
        return str(body.get("emoji") or "")
    if kind == "interactive":
        inner = body.get("body")
        reply = body.get("button_reply") or body.get("list_reply")
        source = reply if isinstance(reply, Mapping) else inner
        return str(source.get("title") or source.get("text") or "") if isinstance(source, Mapping) else ""
    if kind == "button":
        return str(body.get("text", ""))
    if kind == "location":
        return str(body.get("name") or body.get("address") or "")
    return ""
