"""The table of URLs that are refused before anything is looked up or connected to."""

import pytest

from services.egress import AddressPolicy, CheckedUrl, UrlRefused, check_url, ensure_reachable

STRICT = AddressPolicy()
DEVELOPMENT = AddressPolicy(allow_private=True, allow_http=True)

REFUSED = {
    "another scheme": "ftp://example.com/",
    "a file": "file:///etc/passwd",
    "gopher": "gopher://example.com/",
    "javascript": "javascript:alert(1)",
    "no scheme": "example.com/hook",
    "no host": "https:///hook",
    "plain http": "http://example.com/hook",
    "user information": "https://user:pass@example.com/",
    "an empty user": "https://@127.0.0.1/",
    "a user that looks like the host": "https://example.com@127.0.0.1/",
    "a backslash": "https://example.com\\@127.0.0.1/",
    "a fragment": "https://example.com/#@127.0.0.1/",
    "a line break": "https://example.com/\r\nHost: x",
    "a space": "https://exam ple.com/",
    "port 0": "https://example.com:0/",
    "port out of range": "https://example.com:70000/",
    "loopback": "https://127.0.0.1/",
    "loopback by name": "https://localhost/",
    "loopback by name with a dot": "https://localhost./",
    "a name below localhost": "https://api.localhost/",
    "loopback with a dot": "https://127.0.0.1./",
    "short loopback": "https://127.1/",
    "decimal": "https://2130706433/",
    "octal": "https://0177.0.0.1/",
    "octal, long": "https://0177.0000.0000.0001/",
    "hexadecimal": "https://0x7f000001/",
    "hexadecimal by parts": "https://0x7f.0x0.0x0.0x1/",
    "full-width digits": "https://１２７.0.0.1/",  # noqa: RUF001 - that is the point
    "enclosed digits": "https://①②⑦.⓪.⓪.①/",
    "escaped digits": "https://%31%32%37.0.0.1/",
    "zero": "https://0/",
    "this host": "https://0.0.0.0/",
    "metadata": "https://169.254.169.254/latest/meta-data/",
    "metadata, decimal": "https://2852039166/",
    "IPv6 loopback": "https://[::1]/",
    "IPv6 unspecified": "https://[::]/",
    "mapped IPv4": "https://[::ffff:10.0.0.1]/",
    "mapped IPv4, hexadecimal": "https://[::ffff:7f00:1]/",
    "NAT64": "https://[64:ff9b::7f00:1]/",
    "6to4": "https://[2002:7f00:1::]/",
    "link-local with a zone": "https://[fe80::1%25eth0]/",
    "unique local": "https://[fd00::1]/",
    "carrier": "https://100.64.0.1/",
    "benchmarks": "https://198.18.0.1/",
    "multicast": "https://224.0.0.1/",
    "broadcast": "https://255.255.255.255/",
    "too long": "https://example.com/" + "a" * 2100,
    "nothing": "",
    "an empty label": "https://a..example.com/",
    "a label in front that is empty": "https://.example.com/",
    "two dots at the end": "https://example.com../",
    "a long label": f"https://{'a' * 64}.example.com/",
    "a long label in another script": f"https://{'é' * 64}.example.com/",
    "a long name": f"https://{'a.' * 130}example.com/",
    "an open bracket": "https://[",
    "an open bracket later": "https://[::1/",
    "half a character in the host": "https://\udcff.example.com/",
}


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED.keys())
def test_a_url_that_leads_inside_or_is_misleading_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        check_url(url, STRICT)
    assert caught.value.code == "url_refused"
    assert caught.value.faults[0].path == "url"


@pytest.mark.parametrize(
    ("url", "text", "host", "port"),
    [
        ("https://example.com/hook?a=b", "https://example.com/hook?a=b", "example.com", 443),
        ("HTTPS://Example.COM:8443", "https://example.com:8443", "example.com", 8443),
        ("https://8.8.8.8/x", "https://8.8.8.8/x", "8.8.8.8", 443),
        ("https://bücher.example/", "https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443),
        ("https://1e100.net/", "https://1e100.net/", "1e100.net", 443),
    ],
)
def test_an_ordinary_url_passes_in_one_form(url: str, text: str, host: str, port: int) -> None:
    checked = check_url(url, STRICT)
    assert checked.text.rstrip("/") == text.rstrip("/")
    assert (checked.host, checked.port) == (host, port)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/x", "http://localhost:9000/", "http://[::1]:9000/", "http://10.0.0.7/"]
)
def test_development_reaches_its_own_machine_over_plain_http(url: str) -> None:
    assert check_url(url, DEVELOPMENT).text


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://2130706433/", "http://u@127.0.0.1/", "ftp://127.0.0.1/"]
)
def test_development_opens_no_other_door(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_url(url, DEVELOPMENT)


async def test_a_name_of_our_own_machine_is_refused_when_it_is_looked_up() -> None:
    checked = CheckedUrl("https://a-name-for-loopback/", "localhost", 443, None)
    with pytest.raises(UrlRefused, match="loopback"):
        await ensure_reachable(checked, STRICT)
    await ensure_reachable(checked, DEVELOPMENT)


async def test_a_name_that_does_not_exist_yet_is_not_refused() -> None:
    await ensure_reachable(check_url("https://does-not-exist.invalid/", STRICT), STRICT)
