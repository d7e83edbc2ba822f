"""The words by which a conversation is found: its contact's name and number, and what the customer said lately. Pure.

Process: worker, whatsapp.

Kept in one indexed array; a search is a range over that index: every word that begins with what was typed.
"""

import unicodedata
from typing import Any, Final

MAX_TEXT_WORDS: Final = 40
"""Words of the latest messages; older ones fall out."""
MAX_OF_ONE_MESSAGE: Final = 16
MAX_NAME_WORDS: Final = 8
MAX_CHARS: Final = 24
LEAST_CHARS: Final = 2
LAST: Final = "\uffff"
"""Sorts behind every letter: the open end of a range of words."""


def words_in(text: str) -> list[str]:
    """Runs of letters and digits: lower case, no accents, compatibility forms made plain (full-width letters, say)."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = (letter for letter in decomposed if not unicodedata.combining(letter))
    return "".join(letter if letter.isalnum() else " " for letter in letters).split()


def words_of(text: str) -> list[str]:
    """The same, each cut to ``MAX_CHARS``."""
    return [word[:MAX_CHARS] for word in words_in(text)]


def name_words(name: str | None, wa_id: str | None) -> list[str]:
    """The number, and the words of the name."""
    words = list(dict.fromkeys(words_of(name or "")))[:MAX_NAME_WORDS]
    return [wa_id, *words] if wa_id else words


def text_words(text: str) -> list[str]:
    """What is kept of one message."""
    words = dict.fromkeys(word for word in words_of(text) if len(word) >= LEAST_CHARS)
    return list(words)[:MAX_OF_ONE_MESSAGE]


def query_of(text: str) -> list[dict[str, Any]]:
    """Conditions: for every word typed, one of the conversation's words begins with it."""
    return [{"tokens": {"$elemMatch": {"$gte": word, "$lt": word + LAST}}} for word in words_of(text)[:4]]
