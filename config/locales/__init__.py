"""Words for people, in Spanish and English: `text("es", "startup.worker", index=1, pid=4243)`.

Process: all of them.
"""

from config.locales.catalog import LOCALES, catalog, locale_of, text

__all__ = [
    "LOCALES",
    "catalog",
    "locale_of",
    "text",
]
