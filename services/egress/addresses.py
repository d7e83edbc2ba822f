"""May we connect to this address on behalf of somebody else? Pure rules over the special-purpose registries.

Process: worker, whatsapp.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and successors, read 2026-09); the metadata
services of AWS, Google, Azure, Oracle and Alibaba.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """``allow_private`` opens loopback and private networks, nothing else; ``allow_http`` opens plain HTTP."""

    allow_private: bool = False
    allow_http: bool = False


PRIVATE: Final = {
    ip_network(text): why
    for text, why in (
        ("10.0.0.0/8", "private"),
        ("127.0.0.0/8", "loopback"),
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/16", "private"),
        ("::1/128", "loopback"),
        ("fc00::/7", "private (unique local)"),
    )
}
"""What development may reach."""

NEVER: Final = {
    ip_network(text): why
    for text, why in (
        ("0.0.0.0/8", "this host"),
        ("100.64.0.0/10", "shared by a carrier"),
        ("168.63.129.16/32", "a cloud's metadata service"),
        ("169.254.0.0/16", "link-local, where clouds keep their metadata"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "for documentation"),
        ("192.31.196.0/24", "reserved for AS112"),
        ("192.52.193.0/24", "reserved for AMT"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.175.48.0/24", "reserved for AS112"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved or broadcast"),
        ("::/96", "unspecified or an old form of IPv4"),
        ("64:ff9b::/96", "NAT64, which hides an IPv4 address"),
        ("64:ff9b:1::/48", "NAT64, which hides an IPv4 address"),
        ("100::/64", "discarded"),
        ("2001::/23", "reserved for protocols (Teredo among them)"),
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "6to4, which hides an IPv4 address"),
        ("3fff::/20", "for documentation"),
        ("5f00::/16", "segment routing"),
        ("fd00:ec2::254/128", "a cloud's metadata service"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
}
"""What nobody may reach, in development neither."""

GLOBAL_UNICAST: Final = IPv6Network("2000::/3")


def address_fault(address: IPv4Address | IPv6Address, policy: AddressPolicy) -> str | None:
    """Why this address is refused, in a few words; None when it may be connected to."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return "link-local"
        if address.ipv4_mapped is not None:
            return address_fault(address.ipv4_mapped, policy)
    # Private first: ::1 stands inside ::/96. The metadata service inside fc00::/7 is looked at before that.
    why = _match(address, NEVER)
    private = _match(address, PRIVATE)
    if private is not None and (why is None or private == "loopback"):
        return None if policy.allow_private else private
    if why is None and isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return "not an address of the internet"
    return why


def _match(address: IPv4Address | IPv6Address, networks: dict[IPv4Network | IPv6Network, str]) -> str | None:
    return next((why for network, why in networks.items() if address in network), None)
