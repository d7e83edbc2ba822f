"""The words by which a contact is found, without accents and case. Pure.

Process: worker, whatsapp.

MongoDB's text indexes are not everywhere (not on the embedded server), so each contact keeps its words in an indexed
array, and a search is a range over that index: every word that begins with what was typed.
"""

import unicodedata
from collections.abc import Iterable
from typing import Any, Final

MAX_TOKENS: Final = 12
MAX_TOKEN_CHARS: Final = 32
LAST: Final = "\uffff"
"""Sorts behind every letter: the open end of a range of words."""


def normalised(text: str) -> str:
    """Lower case, no accents, compatibility forms made plain (full-width letters, for instance)."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words_of(text: str) -> list[str]:
    """The words of a text: runs of letters and digits."""
    return "".join(letter if letter.isalnum() else " " for letter in normalised(text)).split()


def tokens_of(names: Iterable[str | None], *, wa_id: str | None) -> list[str]:
    """What is stored: the words of all names, and the phone number; a bounded number of them."""
    found: dict[str, None] = {}
    if wa_id:
        found[wa_id] = None
    for name in names:
        for word in words_of(name or ""):
            found[word[:MAX_TOKEN_CHARS]] = None
    return list(found)[:MAX_TOKENS]


def query_of(text: str) -> list[dict[str, Any]]:
    """Conditions that a contact must meet: for every word typed, one of its words begins with it. [] matches all."""
    return [
        {"tokens": {"$elemMatch": {"$gte": word[:MAX_TOKEN_CHARS], "$lt": word[:MAX_TOKEN_CHARS] + LAST}}}
        for word in words_of(text)[:4]
    ]
