"""Who is the client behind proxies: what a proxy says counts when it is ours, and no further than it can know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.http_server.forwarded import Origin, TrustedProxies

CLIENT, EDGE, INNER, STRANGER = "203.0.113.9", "198.51.100.4", "10.0.0.7", "192.0.2.66"
OURS = TrustedProxies(f"private, {EDGE}")
Pairs = list[tuple[str, str]]


def headers(**values: str | list[str]) -> Pairs:
    names = {"xff": "x-forwarded-for", "xfp": "x-forwarded-proto", "forwarded": "forwarded"}
    each = {name: [value] if isinstance(value, str) else value for name, value in values.items()}
    return [("host", "panal.example"), *((names[name], value) for name in each for value in each[name])]


@pytest.mark.parametrize(
    ("pairs", "address", "is_secure"),
    [
        (headers(), INNER, False),
        # One proxy.
        (headers(xff=CLIENT), CLIENT, False),
        (headers(xff=CLIENT, xfp="https"), CLIENT, True),
        (headers(xff=CLIENT, xfp="HTTPS"), CLIENT, True),
        (headers(xff=CLIENT, xfp="wss"), CLIENT, True),
        (headers(xff=CLIENT, xfp="http"), CLIENT, False),
        (headers(xff=CLIENT, xfp="gopher"), CLIENT, False),
        (headers(xfp="https"), INNER, True),
        (headers(xff=f"{CLIENT}:51234", xfp="https"), CLIENT, True),
        # Two proxies, in one line or two; each adds what it knows, or the scheme of the first stays.
        (headers(xff=f"{CLIENT}, {EDGE}", xfp="https,http"), CLIENT, True),
        (headers(xff=[CLIENT, EDGE], xfp=["https", "http"]), CLIENT, True),
        (headers(xff=f"{CLIENT}, {EDGE}", xfp="http, https"), CLIENT, False),
        (headers(xff=f"{CLIENT}, {EDGE}", xfp="https"), CLIENT, True),
        (headers(xff=CLIENT, xfp="https,http"), CLIENT, True),
        (headers(xff=f"{CLIENT},{EDGE},10.1.1.1", xfp="https,http"), CLIENT, True),
        # A client that says something of its own: what stands before it is not believed.
        (headers(xff=f"1.1.1.1, {CLIENT}, {EDGE}"), CLIENT, False),
        (headers(xff=f"10.0.0.1, {CLIENT}", xfp="https, http"), CLIENT, False),
        (headers(xff=f"{CLIENT}, {STRANGER}"), STRANGER, False),
        # Names, and nonsense: as far as can be seen.
        (headers(xff="unknown"), INNER, False),
        (headers(xff=f"unknown, {EDGE}", xfp="https"), EDGE, True),
        (headers(xff=f"{CLIENT}, _hidden, {EDGE}"), EDGE, False),
        (headers(xff=" , ,"), INNER, False),
        (headers(xff="\udcff\udcfe", xfp="\udcff"), INNER, False),
        # All of them are ours: somebody inside.
        (headers(xff="10.2.2.2, 10.1.1.1", xfp="https"), "10.2.2.2", True),
        # RFC 7239.
        (headers(forwarded=f"for={CLIENT};proto=https"), CLIENT, True),
        (headers(forwarded=f'For="{CLIENT}:4711"; Proto=HTTPS; by=_edge'), CLIENT, True),
        (headers(forwarded=f"for={CLIENT};proto=https, for={EDGE};proto=http"), CLIENT, True),
        (headers(forwarded=[f"for={CLIENT};proto=https", f"for={EDGE};proto=http"]), CLIENT, True),
        (headers(forwarded=f"for=1.1.1.1;proto=https, for={CLIENT};proto=http"), CLIENT, False),
        (headers(forwarded='for="[2001:db8::7]:80";proto=https'), "2001:db8::7", True),
        (headers(forwarded=f"for={CLIENT}, for={EDGE};proto=https"), CLIENT, True),
        (headers(forwarded="for=_gazonk;proto=https"), INNER, True),
        (headers(forwarded=f"for={CLIENT}", xfp="https"), CLIENT, True),
        (headers(forwarded=f"for={CLIENT};proto=https;"), CLIENT, True),
        (headers(forwarded=f'for="{CLIENT}'), INNER, False),
        (headers(forwarded=f"for {CLIENT}"), INNER, False),
        (headers(forwarded=""), INNER, False),
        # Both: X-Forwarded-For is the one that nearly every proxy writes.
        (headers(forwarded="for=1.1.1.1;proto=https", xff=CLIENT, xfp="http"), CLIENT, False),
    ],
)
def test_a_proxy_of_ours_says_who_the_client_is(pairs: Pairs, address: str, is_secure: bool) -> None:
    assert OURS.origin(INNER, pairs) == Origin(address, is_secure)


SAYS_ALL = headers(xff=CLIENT, xfp="https", forwarded=f"for={CLIENT};proto=https")


@pytest.mark.parametrize("proxies", ["none", "10.0.0.8", "cloudflare", "2001:db8::/32"])
def test_a_stranger_says_nothing_of_others(proxies: str) -> None:
    assert TrustedProxies(proxies).origin(INNER, SAYS_ALL) == Origin(INNER, False)
    assert OURS.origin(STRANGER, SAYS_ALL) == Origin(STRANGER, False)
    assert OURS.origin(STRANGER, SAYS_ALL, is_secure=True) == Origin(STRANGER, True)


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "::1", "10.9.9.9", "172.31.0.1", "192.168.1.1", "fd00::1", "::ffff:10.0.0.7", ""]
)
def test_private_networks_this_machine_and_its_sockets_are_ours_by_default(peer: str) -> None:
    assert TrustedProxies("private").origin(peer, SAYS_ALL) == Origin(CLIENT, True)
    assert TrustedProxies("none").origin(peer, SAYS_ALL) == Origin(peer, False)


def test_render_behind_cloudflare() -> None:
    way = headers(xff=f"{CLIENT}, 172.68.10.20, 10.204.1.9", xfp="https")
    assert TrustedProxies("private, cloudflare").origin("10.204.3.3", way) == Origin(CLIENT, True)
    assert TrustedProxies("private").origin("10.204.3.3", way) == Origin("172.68.10.20", True)


@given(
    st.lists(
        st.tuples(st.sampled_from(["x-forwarded-for", "x-forwarded-proto", "forwarded"]), st.text(max_size=300)),
        max_size=6,
    )
)
def test_nothing_that_a_client_sends_fails(pairs: Pairs) -> None:
    OURS.origin(INNER, pairs)


def test_a_long_list_is_read_from_its_end_alone() -> None:
    assert OURS.origin(INNER, headers(xff=", ".join([CLIENT] + ["10.0.0.1"] * 500))).address == "10.0.0.1"
