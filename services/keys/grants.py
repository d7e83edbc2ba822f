"""What a key may give to another key, and over which keys it has power: never more than it has itself. Pure.

Process: worker.
"""

from datetime import datetime

from config.errors import Fault
from services.keys.cache import NotPermitted
from services.keys.records import ApiKey, Caller, Scope


def granted_numbers(asked: frozenset[str], maker: Caller) -> frozenset[str]:
    """The numbers of a key that this caller makes: those asked for, or without any all that the caller has."""
    return asked or maker.numbers


def granted_end(asked: datetime | None, maker: Caller) -> datetime | None:
    """When a key that this caller makes ends: as asked, or without any wish with the caller's own."""
    return asked if asked is not None else maker.expires_at


def require_grant(
    maker: Caller, *, scopes: frozenset[Scope], numbers: frozenset[str], expires_at: datetime | None
) -> None:
    """Raise ``NotPermitted`` with every fault when such a key would have more than its maker.

    ``numbers`` empty and ``expires_at`` None are the most that a key can have: every number, and no end.
    """
    faults = [
        Fault("scopes", f"{scope.value} is not a scope of this API key") for scope in sorted(scopes - maker.scopes)
    ]
    if maker.numbers:
        faults += [
            Fault("numbers", f"{number} is not among the numbers of this API key")
            for number in sorted(numbers - maker.numbers)
        ]
        if not numbers:
            faults.append(Fault("numbers", "must be among the numbers of this API key"))
    if maker.expires_at is not None and (expires_at is None or expires_at > maker.expires_at):
        faults.append(Fault("expires_at", "must not be later than the end of this API key"))
    if faults:
        raise NotPermitted("A key can give no more than it has itself.", faults=faults)


def may_see_key(caller: Caller, key: ApiKey) -> bool:
    """Is this key within the caller's numbers? A key for every number is within no limit."""
    return not caller.numbers or (bool(key.numbers) and key.numbers <= caller.numbers)


def require_power(caller: Caller, key: ApiKey) -> None:
    """Raise ``NotPermitted`` when a limited caller would end a key that may do more than itself."""
    if caller.numbers and not key.scopes <= caller.scopes:
        raise NotPermitted("This key has scopes that your API key lacks; a key with all of them can revoke it.")
