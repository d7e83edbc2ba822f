"""Is this message the word with which people opt out, or in again? Pure.

Process: whatsapp.

The whole message must be the word: "stop" opts out, "please stop by tomorrow" does not.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.contacts.records import ConsentStatus
from services.conversations import words_in

MAX_TEXT_CHARS: Final = 64


class Keywords:
    """Words (or short phrases) that opt out and in. Case, accents and punctuation do not matter."""

    def __init__(self, *, opt_out: Iterable[str], opt_in: Iterable[str]) -> None:
        """A word that stands in both lists opts out: the cautious reading."""
        self._status_of = {_plain(word): ConsentStatus.IN for word in opt_in}
        self._status_of |= {_plain(word): ConsentStatus.OUT for word in opt_out}
        self._status_of.pop("", None)

    def status_of(self, text: str) -> ConsentStatus | None:
        """What the message asks for, or None: it is an ordinary message."""
        return self._status_of.get(_plain(text)) if len(text) <= MAX_TEXT_CHARS else None


def listed(setting: str) -> tuple[str, ...]:
    """The words of a comma-separated setting."""
    return tuple(word for part in setting.split(",") if (word := part.strip()))


def spoken_text(kind: str, content: Mapping[str, Any]) -> str | None:
    """What a customer said with an inbound message that can be a keyword: a text, or a button pressed."""
    body = content.get(kind)
    if not isinstance(body, Mapping):
        return None
    if kind == "text":
        found = body.get("body")
    elif kind == "button":
        found = body.get("text")
    elif kind == "interactive":
        reply = body.get("button_reply") or body.get("list_reply")
        found = reply.get("title") if isinstance(reply, Mapping) else None
    else:
        return None
    return found if isinstance(found, str) else None


def _plain(text: str) -> str:
    return " ".join(words_in(text))
