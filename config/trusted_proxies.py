"""Which addresses may say who the client is: networks, and two names for well-known ones. Pure.

Process: all of them.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

NAMED: Final = {
    "none": (),
    # This machine, private networks (RFC 1918, RFC 4193), carriers' (RFC 6598) and link-local ones.
    "private": (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    ),
    # Source: https://www.cloudflare.com/ips/ (they have not changed since 2021). Render's own proxies stand behind it.
    "cloudflare": (
        *("173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "141.101.64.0/18"),
        *("108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20", "197.234.240.0/22", "198.41.128.0/17"),
        *("162.158.0.0/15", "104.16.0.0/13", "104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22"),
        *("2400:cb00::/32", "2606:4700::/32", "2803:f800::/32", "2405:b500::/32", "2405:8100::/32"),
        *("2a06:98c0::/29", "2c0f:f248::/32"),
    ),
}


def networks_of(text: str) -> tuple[Network, ...]:
    """`private, 203.0.113.7, 2001:db8::/32` → networks. Raises ``ValueError`` for anything else."""
    found: list[Network] = []
    for word in (part.strip() for part in text.split(",")):
        found += [ip_network(network) for network in NAMED.get(word.lower(), (word,))]
    return tuple(found)


def is_network_list(text: str) -> bool:
    """Can ``networks_of`` read it?"""
    try:
        networks_of(text)
    except ValueError:
        return False
    return True


def address_of(text: str) -> Address | None:
    """An IP address as proxies write it: with a port, in brackets, in quotes. None for ``unknown`` and the like."""
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
