"""The words by which a contact is found, without accents and case. Pure.

Process: worker, whatsapp.

MongoDB's text indexes are not everywhere (not on the embedded server), so each contact keeps its words in an indexed
array, and a search is a range over that index: every word that begins with what was typed.
"""

from collections.abc import Iterable
from typing import Any, Final

from services.conversations import words_in

MAX_TOKENS: Final = 12
MAX_TOKEN_CHARS: Final = 32
LAST: Final = "\uffff"
"""Sorts behind every letter: the open end of a range of words."""


def tokens_of(names: Iterable[str | None], *, wa_id: str | None) -> list[str]:
    """What is stored: the words of all names, and the phone number; a bounded number of them."""
    found: dict[str, None] = {}
    if wa_id:
        found[wa_id] = None
    for name in names:
        for word in words_in(name or ""):
            found[word[:MAX_TOKEN_CHARS]] = None
    return list(found)[:MAX_TOKENS]


def query_of(text: str) -> list[dict[str, Any]]:
    """Conditions that a contact must meet: for every word typed, one of its words begins with it. [] matches all."""
    return [
        {"tokens": {"$elemMatch": {"$gte": word[:MAX_TOKEN_CHARS], "$lt": word[:MAX_TOKEN_CHARS] + LAST}}}
        for word in words_in(text)[:4]
    ]
