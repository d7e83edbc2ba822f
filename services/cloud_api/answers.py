"""What Graph answers, made fit for a caller: its links lead to us, and no credential of ours stands in it.

Process: worker.

Every text is searched at every depth, keys too, and in every spelling. What cannot be rewritten is not handed on.
"""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import orjson

from config.errors import PlatformRefused
from services.graph import DECODINGS_MOST, HIDDEN, SecretScrubber, credential_name, spellings

DEPTH_MOST: Final = 64
SUSPECT_CHARS_MOST: Final = 1024 * 1024
"""Text that needs a closer look, in one answer. Real answers have a few KB of it."""
LAYERS_MOST: Final = 4
"""Links in links, JSON in texts: how deep they are rewritten."""
LOOK_BACK_CHARS: Final = 300

_GRAPH_HOSTS: Final = r"graph(?:[-.][a-z0-9-]{1,20}){0,3}\.(?:facebook|whatsapp|instagram)\.com"
_VERSION: Final = re.compile(r"v[0-9]{1,3}(?:\.[0-9]{1,3})?")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}:\Z")
_TAIL: Final = re.compile(r"\.?[/?#\\][^\s\"'<>]*")
_BETWEEN: Final = re.compile(r"([\s\"'<>&=?#;,]+)")


class AnswerWithheld(PlatformRefused):
    """Graph's answer has something that must not get out and cannot be cut out."""

    code = "answer_withheld"
    default_text = (
        "Panal withheld WhatsApp's answer: it has a credential or a link that cannot be taken out. The call itself "
        "may have had its effect."
    )


class AnswerCleaner:
    """Cleans the answer to one call. ``base_url`` is where the caller reaches us, ``own_token`` what he put into the
    query: links that lead to us carry it again."""

    def __init__(self, scrubber: SecretScrubber, *, graph_url: str, base_url: str, own_token: str | None) -> None:
        self._scrubber = scrubber
        self._base_url = base_url
        self._own_token = own_token
        self._hosts = _hosts_of(graph_url)
        self._left_chars = SUSPECT_CHARS_MOST

    def value(self, value: Any, depth: int = 0) -> Any:
        """A JSON value without what must not get out. Raises ``AnswerWithheld``."""
        if isinstance(value, str):
            return self.text(value)
        if depth > DEPTH_MOST:
            raise AnswerWithheld(detail=f"nested deeper than {DEPTH_MOST} levels")
        if isinstance(value, list):
            return [self.value(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return self._object(value, depth)
        return value

    def text(self, text: str, layer: int = 0) -> str:
        """A text without what must not get out. Raises ``AnswerWithheld``."""
        if self._scrubber.is_plain(text) and self._hosts.search(text) is None:
            return text
        self._left_chars -= len(text)
        if layer > LAYERS_MOST or self._left_chars < 0:
            raise AnswerWithheld(detail="encoded too deep, or too much text that looks like a credential")
        inner = self._json(text, layer)
        if inner is not None:
            return inner
        cleaned = self._scrubber.scrub(self._links(text, layer))
        if "%" in cleaned and self._is_exposed(cleaned):
            cleaned = self._encoded(cleaned, layer)
        if self._is_exposed(cleaned):
            raise AnswerWithheld(detail="a credential or a link is encoded in a way that cannot be rewritten")
        return self._with_own_token(cleaned) if layer == 0 else cleaned

    def header(self, value: str) -> str | None:
        """A header's value as it came, or None where there is anything to object to."""
        if not (value.isascii() and value.isprintable()):
            return None
        is_clean = self._scrubber.is_plain(value) or not self._is_exposed(value)
        return value if is_clean and self._hosts.search(value) is None else None

    def _object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        cleaned: dict[str, Any] = {}
        for name, item in value.items():
            if credential_name(name):
                continue
            key = self.text(name)
            if key in cleaned:
                raise AnswerWithheld(detail="two names of an object are the same without their credentials")
            cleaned[key] = self.value(item, depth + 1)
        return cleaned

    def _json(self, text: str, layer: int) -> str | None:
        """The text as JSON, if it is an object or a list in JSON; None otherwise."""
        if text[:1] not in ("{", "["):
            return None
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        inner = _JsonInText(self, layer + 1)
        return orjson.dumps(inner.value(value)).decode()

    def _links(self, text: str, layer: int) -> str:
        """Every link to Graph in a text, turned to us."""
        parts: list[str] = []
        done = 0
        for found in self._hosts.finditer(text):
            if found.start() < done:
                continue
            start = _link_start(text, found.start(), done)
            tail = _TAIL.match(text, found.end())
            end = tail.end() if tail else found.end()
            if start > 0:  # inside a sentence: its punctuation is not the link's
                while end > found.end() and text[end - 1] in ".,;:!)]}":
                    end -= 1
            parts += [text[done:start], self._turned(text[found.end() : end], layer)]
            done = end
        return "".join([*parts, text[done:]])

    def _turned(self, tail: str, layer: int) -> str:
        """A link to us for what stands behind Graph's host. Credentials, user info and fragment are left out."""
        path, _, query = tail.removeprefix(".").partition("#")[0].partition("?")
        segments = [one for one in path.replace("\\", "/").split("/") if one]
        if segments and _VERSION.fullmatch(segments[0]):
            segments.pop(0)
        kept = [
            (name.removeprefix("amp;"), self.text(value, layer + 1))
            for name, value in parse_qsl(query, keep_blank_values=True)
            if not credential_name(name)
        ]
        return "/".join([self._base_url, *segments]) + (f"?{urlencode(kept)}" if kept else "")

    def _with_own_token(self, text: str) -> str:
        """A text that is one link to us, with the caller's own token if he put it into his query."""
        if not self._own_token or not text.startswith(f"{self._base_url}/") or any(one.isspace() for one in text):
            return text
        return text + ("&" if "?" in text else "?") + urlencode({"access_token": self._own_token})

    def _encoded(self, text: str, layer: int) -> str:
        """Links and credentials that are percent-encoded as one piece, rewritten and encoded again."""
        pieces: Sequence[str] = _BETWEEN.split(text)
        return "".join(self._encoded_piece(piece, layer) if "%" in piece else piece for piece in pieces)

    def _encoded_piece(self, piece: str, layer: int) -> str:
        decoded = unquote(piece)
        cleaned = self.text(decoded, layer + 1) if decoded != piece else piece
        return piece if cleaned == decoded else quote(cleaned, safe="")

    def _is_exposed(self, text: str) -> bool:
        if self._scrubber.is_exposed(text):
            return True
        # Our own address may have Graph's name, for clients that were pointed here by DNS.
        return any(
            count > DECODINGS_MOST or self._hosts.search(spelling.replace(self._base_url, ""))
            for count, spelling in enumerate(spellings(text))
        )


class _JsonInText(AnswerCleaner):
    """The same cleaner one layer further in: what stands in a text gets no token of the caller's."""

    def __init__(self, outer: AnswerCleaner, layer: int) -> None:
        self._outer = outer
        self._layer = layer

    def text(self, text: str, layer: int = 0) -> str:
        return self._outer.text(text, self._layer + layer)


def scrubbed(text: str, scrubber: SecretScrubber) -> str:
    """A text for the log."""
    return HIDDEN if scrubber.is_exposed(clean := scrubber.scrub(text)) else clean


def _hosts_of(graph_url: str) -> re.Pattern[str]:
    """Graph's host in a text: Meta's names for it, and the one that this installation calls."""
    own = urlsplit(graph_url).netloc.rpartition("@")[2]
    port = "" if ":" in own else r"(?::[0-9]{1,5})?"
    names = rf"(?:{_GRAPH_HOSTS})(?::[0-9]{{1,5}})?|{re.escape(own)}{port}"
    return re.compile(rf"(?<![\w.-])(?:{names})(?![\w-])(?!\.\w)", re.IGNORECASE)


def _link_start(text: str, host_at: int, least: int) -> int:
    """Where the link begins whose host stands at ``host_at``: with user info, slashes and scheme, if it has them."""
    least = max(least, host_at - LOOK_BACK_CHARS)
    start = host_at
    if start > least and text[start - 1] == "@":
        slash = text.rfind("/", least, start)
        start = slash + 1 if slash >= 0 else start - 1
    while start > least and text[start - 1] in "/\\":
        start -= 1
    scheme = _SCHEME.search(text[max(least, start - 17) : start])
    return start - len(scheme[0]) if scheme else start
