"""Which files may be sent, as what, and how large. Pure rules.

Process: worker, whatsapp.

Source: Meta, "Media" (2025-12): supported types and sizes; the wording of refusals from captured answers.
"""

import re
from dataclasses import dataclass
from typing import Final

import filetype  # type: ignore[import-untyped]  # pure Python, without types

from config import limits
from config.errors import RequestRefused

INVALID_PARAMETER: Final = 100

TYPES: Final = {
    "image": ("image/jpeg", "image/png"),
    "sticker": ("image/webp",),
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
    "video": ("video/mp4", "video/3gpp"),
}
DOCUMENT_TYPES: Final = (
    "application/pdf", "text/plain", "application/msword", "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
)  # fmt: skip
MAX_BYTES: Final = {
    "image": limits.IMAGE_MAX_BYTES,
    "sticker": limits.ANIMATED_STICKER_MAX_BYTES,
    "audio": limits.AUDIO_MAX_BYTES,
    "video": limits.VIDEO_MAX_BYTES,
    "document": limits.DOCUMENT_MAX_BYTES,
}
KINDS: Final = tuple(MAX_BYTES)

_KIND_OF: Final = {name: kind for kind, names in TYPES.items() for name in names}
_FAMILIES: Final = (
    frozenset({"video/mp4", "video/quicktime", "video/x-m4v", "audio/mp4", "audio/m4a", "audio/x-m4a", "video/3gpp"}),
    frozenset({"audio/ogg", "video/ogg", "application/ogg", "audio/opus"}),
    frozenset({"audio/aac", "audio/x-aac", "audio/mpeg"}),
)
"""Names for one container: what is inside, a sniffer cannot tell by the first bytes."""
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_TYPE: Final = re.compile(rf"{_NAME}/{_NAME}(?:[ \t]*;[\x20-\x7e\t]{{0,255}})?")
"""A media type as RFC 6838 has it, with parameters in printable ASCII: what can stand in a header."""
UNKNOWN_TYPE: Final = "application/octet-stream"
_UNSAID: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})


class MediaRefused(RequestRefused):
    """This file cannot be sent: its type, its size, or it is not what it says."""

    code = "media_refused"

    def __init__(self, text: str) -> None:
        """``text`` is Meta's sentence where Meta has one."""
        super().__init__(text, extra={"graph_code": INVALID_PARAMETER})


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file is: ``kind`` is the message that may carry it."""

    mime_type: str
    kind: str


def judge(declared: str | None, head: bytes, size_bytes: int) -> FileFacts:
    """What this file is, by what its sender says and by its first bytes. Raises ``MediaRefused``."""
    declared = (declared or "").strip(" \t")
    if declared and not is_media_type(declared):
        raise MediaRefused("Param type must be a media type such as image/png, without control characters.")
    said, seen = bare_type(declared), _seen(head)
    mime_type = seen if said in _UNSAID and seen else said
    kind = kind_of(mime_type)
    if kind is None or not _fits(mime_type, kind, seen):
        named = seen if kind is not None else mime_type
        raise MediaRefused(
            f"Param file must be a file with one of the following types: {_all_types()}. "
            f"Received file of type '{named or 'application/octet-stream'}'."
        )
    most = _most_bytes(kind, head)
    if not 0 < size_bytes <= most:
        raise MediaRefused(
            f"{kind.capitalize()} file has size {size_bytes} bytes but must be atmost {most} bytes and non-empty"
        )
    keeps_parameters = kind == "audio" and declared and bare_type(declared) == mime_type
    return FileFacts(declared if keeps_parameters else mime_type, kind)


def kind_of(mime_type: str) -> str | None:
    """The kind of message that carries this type; None for what WhatsApp does not take."""
    bare = bare_type(mime_type)
    known = _KIND_OF.get(bare)
    if known is not None:
        return known
    return None if bare in _UNSAID or bare.startswith(("image/", "audio/", "video/", "multipart/")) else "document"


def is_media_type(text: str) -> bool:
    """Is this a media type that can stand in a header?"""
    return _TYPE.fullmatch(text) is not None


def bare_type(mime_type: str | None) -> str:
    """`audio/ogg; codecs=opus` → `audio/ogg`."""
    return (mime_type or "").partition(";")[0].strip().lower()


def clean_filename(name: str | None) -> str | None:
    """The last part of a path (one real client sends an absolute one), without control characters."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[-240:] or None


def _seen(head: bytes) -> str | None:
    found = filetype.guess_mime(head)
    return str(found) if found else None


def _fits(mime_type: str, kind: str, seen: str | None) -> bool:
    if kind == "document":
        if mime_type == "application/pdf":
            return seen == "application/pdf"
        return mime_type != "text/plain" or seen is None
    if seen is None:
        return False
    return seen == mime_type or any(seen in family and mime_type in family for family in _FAMILIES)


def _most_bytes(kind: str, head: bytes) -> int:
    is_animated = head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 0x02)
    if kind == "sticker" and not is_animated:
        return limits.STICKER_MAX_BYTES
    return MAX_BYTES[kind]


def _all_types() -> str:
    return ", ".join([name for names in TYPES.values() for name in names] + list(DOCUMENT_TYPES))
