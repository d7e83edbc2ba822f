"""Who is meant by addresses that were seen together? One person may have several: phone numbers and user ids. Pure.

Process: worker, whatsapp.
"""

from collections.abc import Callable, Collection
from typing import Final, Protocol, TypeVar

_PREFIXES: Final = {"wa_id": "wa", "user_id": "user", "group": "group"}


class Seen(Protocol):
    """Addresses that belong to one person: ``wa_id`` and ``user_id`` are those in use, ``keys`` all of them."""

    @property
    def wa_id(self) -> str | None: ...

    @property
    def user_id(self) -> str | None: ...

    @property
    def keys(self) -> tuple[str, ...]: ...


class Holder(Protocol):
    """Somebody known: a conversation, or a contact."""

    @property
    def wa_id(self) -> str | None: ...

    @property
    def user_id(self) -> str | None: ...

    @property
    def keys(self) -> Collection[str]: ...


H = TypeVar("H", bound=Holder)

MOST_ADDRESSES: Final = 50
"""Addresses of one person that are kept. All of them are written anew whenever one comes."""


def keys_of(wa_id: str | None, user_id: str | None, former: Collection[str] = ()) -> tuple[str, ...]:
    """Addresses as keys, each once: ``wa:<digits>``, ``user:<id>``, and those that were keys already."""
    if wa_id and not user_id and not former:
        return (f"wa:{wa_id}",)  # nearly always, and several times for every message
    now = (f"wa:{wa_id}" if wa_id else None, f"user:{user_id}" if user_id else None)
    return tuple(dict.fromkeys(key for key in (*now, *former) if key))


def surplus(keys: Collection[str], in_use: Collection[str]) -> list[str]:
    """Which of these addresses to give up, so that ``MOST_ADDRESSES`` stay: the first ones that are not in use."""
    excess = len(keys) - MOST_ADDRESSES
    return [key for key in keys if key not in in_use][:excess] if excess > 0 else []


def key_at(to: str, kind: str) -> str:
    """The key of whom a message is for: ``kind`` says what ``to`` is, ``wa_id``, ``user_id`` or ``group``."""
    return f"{_PREFIXES[kind]}:{to}"


def holders_of(seen: Seen, holder_of: Callable[[str], H | None]) -> tuple[list[H], list[tuple[H, str]]]:
    """Everybody known who is this person (several: they turn out to be one), and the addresses others lose to them.

    A user id stays with its person; a phone number is given to somebody else one day. So a number that comes with
    another user id is somebody else's if its holder has left it, or if the person behind that user id had another one.
    In doubt it is the same person, and what they refused to get stays refused.
    """
    mine: list[H] = []
    lost: list[tuple[H, str]] = []
    for key in seen.keys:
        holder = holder_of(key)
        if holder is None:
            continue
        if _has_passed_on(holder, key, seen, holder_of):
            lost.append((holder, key))
        elif all(one is not holder for one in mine):
            mine.append(holder)
    return mine, lost


def _has_passed_on(holder: H, key: str, seen: Seen, holder_of: Callable[[str], H | None]) -> bool:
    kind, _, digits = key.partition(":")
    if kind != "wa" or not seen.user_id or not holder.user_id or f"user:{seen.user_id}" in holder.keys:
        return False
    person = holder_of(f"user:{seen.user_id}")
    has_moved_here = person is not None and person.wa_id not in (None, digits)
    return holder.wa_id != digits or has_moved_here
