"""Which addresses are trusted proxies: networks, and names for those that everybody would look up."""

import pytest

from config.settings.load import SettingsRefused, load_settings
from config.trusted_proxies import NAMED, address_of, is_network_list, networks_of


@pytest.mark.parametrize(
    "text", ["private", "none", "cloudflare", "203.0.113.7", "private, 203.0.113.0/24 ,2001:db8::/32"]
)
def test_addresses_networks_and_names_are_read(text: str) -> None:
    assert is_network_list(text)
    assert load_settings({"PANAL_TRUSTED_PROXIES": text}).trusted_proxies == text


@pytest.mark.parametrize(
    "text", ["*", "localhost", "10.0.0.1/8", "203.0.113.7,", "300.1.1.1", "private none", "::/129"]
)
def test_anything_else_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(SettingsRefused, match="PANAL_TRUSTED_PROXIES"):
        load_settings({"PANAL_TRUSTED_PROXIES": text})


def test_every_named_network_is_one() -> None:
    assert [len(networks_of(name)) for name in NAMED] == [0, 9, 22]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7:4711 ", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        *((text, None) for text in ("", "unknown", "_hidden", "a.example", "203.0.113", "1.2.3.4.5", "\udcff")),
    ],
)  # fmt: skip
def test_addresses_are_read_as_proxies_write_them(text: str, address: str | None) -> None:
    found = address_of(text)
    assert (str(found) if found is not None else None) == address
