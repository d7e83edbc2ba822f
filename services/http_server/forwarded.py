"""The client behind proxies, and whether its connection is encrypted. A proxy's word counts if we trust its address.

Process: worker.

Reads ``X-Forwarded-For`` and ``X-Forwarded-Proto``, or, without the first, ``Forwarded`` (RFC 7239). Each proxy appends
the address that called it. So the list is read from its end while the addresses are trusted proxies. The first
untrusted address is the client: it may have written everything before it.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sanic import Request

from config.trusted_proxies import Network, address_of, networks_of

MAX_HOPS: Final = 20
"""Only the end of a longer list is read."""
_SECURE: Final = frozenset({"https", "wss"})
_SCHEMES: Final = _SECURE | {"http", "ws"}
_PAIR: Final = re.compile(r'\s*([!#$%&\'*+.^_`|~\w-]+)=("(?:[^"\\]|\\.)*"|[^\s";,]*)\s*(;|,|$)', re.ASCII)
_READ: Final = frozenset({"x-forwarded-for", "x-forwarded-proto", "forwarded"})


class Origin(NamedTuple):
    """The client's address (empty: a Unix socket) and whether its own connection is encrypted."""

    address: str
    is_secure: bool


class _Hop(NamedTuple):
    """One hop: the caller's address, and its scheme where a proxy said it."""

    caller: str
    scheme: str


class TrustedProxies:
    """The proxies that one installation trusts."""

    def __init__(self, text: str) -> None:
        """``text`` as in ``PANAL_TRUSTED_PROXIES``. Raises ``ValueError``."""
        self._networks = networks_of(text)
        self.trusts = lru_cache(maxsize=4096)(self._trusts)

    def _trusts(self, address: str) -> bool:
        """Is this a trusted proxy? A Unix socket (empty address) is, unless no proxy is trusted."""
        if not address:
            return bool(self._networks)
        found = address_of(address)
        return found is not None and any(_has(network, found) for network in self._networks)

    def origin(self, peer: str, pairs: Iterable[tuple[str, str]], *, is_secure: bool = False) -> Origin:
        """Return the client of a request that came from ``peer`` with these headers (names in lower case)."""
        if not self.trusts(peer):
            return Origin(peer, is_secure)
        said: dict[str, list[str]] = {}
        for name, value in pairs:
            if name in _READ:
                said.setdefault(name, []).append(value)
        if not said:
            return Origin(peer, is_secure)
        schemes = _listed(said.get("x-forwarded-proto", ()))
        callers = _listed(said.get("x-forwarded-for", ()))
        if callers or "forwarded" not in said:
            # Proxies that only replace the scheme leave one value: it is the client's. So is the first of a list.
            each = schemes if len(schemes) == len(callers) else schemes[:1] * len(callers)
            hops = [_Hop(*pair) for pair in zip(callers, each or [""] * len(callers), strict=True)]
        else:
            hops = _forwarded(",".join(said["forwarded"]))
        address, scheme = self._walk(peer, hops)
        scheme = scheme or (schemes[0] if schemes else "")
        return Origin(address, scheme in _SECURE if scheme in _SCHEMES else is_secure)

    def _walk(self, peer: str, hops: Sequence[_Hop]) -> tuple[str, str]:
        """Walk from the last hop to the first untrusted one; return its address and scheme."""
        address, scheme = peer, ""
        for hop in reversed(hops[-MAX_HOPS:]):
            caller = address_of(hop.caller)
            scheme = hop.scheme.lower() or scheme
            if caller is None:
                break  # `unknown`, or a name that a proxy made up: nothing before it can be trusted
            address = str(caller)
            if not self.trusts(address):
                break
        return address, scheme


NOBODY: Final = TrustedProxies("none")


def origin_of(request: Request) -> Origin:
    """Return the client of this request; computed once a request."""
    found: Origin | None = getattr(request.ctx, "origin", None)
    if found is None:
        proxies: TrustedProxies = getattr(request.app.ctx, "proxies", NOBODY)
        peer, is_secure = peer_of(request.transport), request.scheme in _SECURE
        found = request.ctx.origin = proxies.origin(peer, request.headers.items(), is_secure=is_secure)
    return found


def peer_of(transport: Any) -> str:
    """Address of the other end of a connection; empty for a Unix socket."""
    peer = transport.get_extra_info("peername") if transport is not None else None
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""


def _has(network: Network, address: Any) -> bool:
    return network.version == address.version and address in network


def _listed(values: Iterable[str]) -> list[str]:
    return [part for value in values for part in (word.strip() for word in value.split(",")) if part]


def _forwarded(text: str) -> list[_Hop]:
    """Parse the elements of ``Forwarded``, in order; empty if it breaks RFC 7239."""
    hops, element, position = list[_Hop](), dict[str, str](), 0
    while position < len(text):
        found = _PAIR.match(text, position)
        if found is None:
            return []
        name, value, end = found.groups()
        element[name.lower()] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        position = found.end()
        if end != ";" or position == len(text):
            hops.append(_Hop(element.get("for", ""), element.get("proto", "")))
            element = {}
    return hops
