"""Read the word lists (`es.toml`, `en.toml`) once, and fill in the figures.

Process: all of them.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

LOCALES: tuple[Literal["es", "en"], ...] = ("es", "en")


@cache
def catalog(locale: str) -> Mapping[str, str]:
    """Every sentence of a language under its dotted key. KeyError for a language that we do not speak."""
    if locale not in LOCALES:
        raise KeyError(f"no such language: {locale}")
    tree = tomllib.loads(Path(__file__).with_name(f"{locale}.toml").read_text(encoding="utf-8"))
    return dict(_flatten(tree, prefix=""))


def text(locale: str, key: str, /, **figures: Any) -> str:
    """The sentence under `key`, with its `{figures}` filled in. KeyError when the key or a figure is missing: a bug."""
    return catalog(locale)[key].format(**figures)


def locale_of(environ: Mapping[str, str]) -> Literal["es", "en"]:
    """The language to speak while the settings are refused: PANAL_LOCALE if it is one of ours, else Spanish."""
    return next((locale for locale in LOCALES if locale == environ.get("PANAL_LOCALE")), LOCALES[0])


def _flatten(tree: Mapping[str, Any], *, prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            pairs += _flatten(value, prefix=f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", str(value)))
    return pairs
