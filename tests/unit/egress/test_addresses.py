"""The table of addresses that nobody may make us call."""

from ipaddress import ip_address

import pytest

from services.egress import AddressPolicy, address_fault

STRICT = AddressPolicy()
DEVELOPMENT = AddressPolicy(allow_private=True, allow_http=True)

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "::1",
    "fc00::1",
    "fdff::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
]
NEVER = [
    "0.0.0.0",  # noqa: S104 - an address to refuse, not one to bind
    "0.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", PRIVATE + NEVER)
def test_an_address_that_is_not_of_the_internet_is_refused(text: str) -> None:
    assert address_fault(ip_address(text), STRICT)


@pytest.mark.parametrize("text", PRIVATE)
def test_development_opens_loopback_and_private_networks(text: str) -> None:
    assert address_fault(ip_address(text), DEVELOPMENT) is None


@pytest.mark.parametrize("text", NEVER)
def test_development_opens_nothing_else(text: str) -> None:
    assert address_fault(ip_address(text), DEVELOPMENT)


@pytest.mark.parametrize("text", PUBLIC)
def test_an_address_of_the_internet_passes(text: str) -> None:
    assert address_fault(ip_address(text), STRICT) is None
