"""Takes an endpoint's own secrets out of what its receiver answers, before that is stored. Pure.

Process: whatsapp.

A receiver may echo what it was sent (a debugging page, an error with the request in it), and the first KB of its answer
is kept with the attempt, for every key that may read attempts.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlsplit

from services.webhook_endpoints.records import Target
from services.webhook_endpoints.sender import ANSWER_BYTES

HIDDEN: Final = "***"
LEAST: Final = 6
"""Shorter ones are left alone: to hide every ``ok`` would hide the answer."""

_IS_TELLING = re.compile(r"(?=.*[0-9A-Z_=~.-]).{8,}|.{16,}")
"""A part of a path that is more than a word of the language, such as ``hooks``."""


class Concealer:
    """Replaces secrets of one endpoint in texts, in the forms in which a receiver may write them."""

    def __init__(self, target: Target, secrets: Iterable[str]) -> None:
        """Everything is worked out now: an answer costs a search for each form."""
        forms = {form for part in _parts(target, secrets) for form in _forms(part) if len(form) >= LEAST}
        # The longest first, so that a secret which is a part of another one leaves no rest of it.
        self._forms = sorted(forms, key=len, reverse=True)

    def text(self, words: str) -> str:
        """``words`` without secrets. An answer of full length was cut: its end may hold the beginning of one."""
        was_cut = len(words.encode()) >= ANSWER_BYTES
        for form in self._forms:
            if form in words:
                words = words.replace(form, HIDDEN)
        if was_cut:
            longest = max((_overlap(words, form) for form in self._forms), default=0)
            if longest:
                words = words[:-longest] + HIDDEN
        return words


def _parts(target: Target, secrets: Iterable[str]) -> set[str]:
    url = urlsplit(target.url)
    parts = {f"{url.path}?{url.query}" if url.query else url.path, url.query}
    parts |= {segment for segment in url.path.split("/") if _IS_TELLING.fullmatch(segment)}
    parts |= {value for _, value in parse_qsl(url.query, keep_blank_values=True)}
    for value in target.headers.values():
        scheme, _, credentials = value.partition(" ")
        pieces = re.split(r"[;,\s]+", value)
        parts |= {value, *pieces, *(piece.partition("=")[2].strip('"') for piece in pieces)}
        if scheme.lower() == "basic":
            parts |= _basic(credentials)
    for secret in secrets:
        parts |= {secret, secret.removeprefix("whsec_")}
    # A path such as /hooks is no secret, and would take the word out of every answer.
    return {part.strip() for part in parts if not re.fullmatch(r"(/[a-z]{0,15}){1,3}/?", part)}


def _basic(credentials: str) -> set[str]:
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return set()
    return {password, f"{user}:{password}"}


def _forms(part: str) -> set[str]:
    plain = {part, unquote(part), unquote_plus(part), quote(part, safe=""), quote_plus(part), quote(part)}
    escaped = {json.dumps(form)[1:-1] for form in plain} | {
        json.dumps(form, ensure_ascii=False)[1:-1] for form in plain
    }
    html = {form.replace("&", "&amp;") for form in plain}
    return plain | escaped | html | {form.replace("/", "\\/") for form in plain | escaped}


def _overlap(words: str, form: str) -> int:
    """How many characters at the end of ``words`` are the beginning of ``form``; 0 when fewer than ``LEAST``."""
    start = max(0, len(words) - len(form) + 1)
    while (start := words.find(form[:LEAST], start)) >= 0:
        if form.startswith(words[start:]):
            return len(words) - start
        start += 1
    return 0
