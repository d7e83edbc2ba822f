"""An aiohttp connector that connects to nothing but checked addresses: the one that was checked is the one it dials.

Process: worker, whatsapp.

A name is resolved once for a connection; what the resolver lets through is dialled without another look-up. Every
socket is checked again when it is made, so that hosts which are addresses themselves pass the same rule.
"""

import socket
from ipaddress import ip_address
from typing import Any

from aiohttp import ClientConnectorError, ClientError, TCPConnector, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from services.egress.addresses import AddressPolicy, address_fault


class AddressRefused(OSError):
    """The name stands for an address that may not be connected to. An ``OSError``, as the HTTP client expects."""

    def __init__(self, host: str, why: str) -> None:
        """``why`` in a few words."""
        super().__init__(f"{host} leads to an address that is {why}")
        self.why = why


class GuardedResolver(AbstractResolver):
    """Answers only with addresses that the policy opens; none left is ``AddressRefused``."""

    def __init__(self, policy: AddressPolicy, inner: AbstractResolver | None = None) -> None:
        """``inner`` does the look-up: the system's resolver unless a test says otherwise."""
        self._policy = policy
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name that may be dialled."""
        try:
            found = await self._inner.resolve(host, port, family)
        except UnicodeError as error:  # the encoder of names, for what it takes for no name
            raise OSError(f"{host[:80]!r} is no name that can be looked up") from error
        faults = [address_fault(ip_address(result["host"].partition("%")[0]), self._policy) for result in found]
        allowed = [result for result, fault in zip(found, faults, strict=True) if fault is None]
        if not allowed:
            raise AddressRefused(host, next((fault for fault in faults if fault), "unknown"))
        return allowed

    async def close(self) -> None:
        """Close the inner resolver."""
        await self._inner.close()


def guarded_connector(
    policy: AddressPolicy, *, limit: int, resolver: AbstractResolver | None = None, keepalive_s: float = 15.0
) -> TCPConnector:
    """A connector for URLs that others chose. ``limit`` connections at once (0: the caller bounds them)."""

    def make_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, proto, _, address = info
        fault = address_fault(ip_address(str(address[0]).partition("%")[0]), policy)
        if fault is not None:
            raise AddressRefused(str(address[0]), fault)
        made = socket.socket(family, kind, proto)
        made.setblocking(False)
        return made

    return TCPConnector(
        resolver=GuardedResolver(policy, resolver),
        socket_factory=make_socket,
        limit=limit,
        keepalive_timeout=keepalive_s,
        ttl_dns_cache=30,
    )


def refusal_in(error: BaseException) -> AddressRefused | None:
    """The refusal inside an error of the HTTP client, if that is what it was."""
    if isinstance(error, AddressRefused):
        return error
    if isinstance(error, ClientConnectorError):
        return refusal_in(error.os_error)
    if isinstance(error, BaseExceptionGroup):
        return next((found for inner in error.exceptions if (found := refusal_in(inner))), None)
    if isinstance(error, ClientError | OSError) and error.__cause__ is not None:
        return refusal_in(error.__cause__)
    return None
