"""Addresses that carry their own proof."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from services.media.urls import MediaUrls
from tests.doubles.clock import START

URLS = MediaUrls("a-secret")


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def test_an_address_opens_its_file_for_five_minutes() -> None:
    query = query_of(URLS.url_of("123", START, base_url="http://panal.example"))
    assert URLS.media_id_in(query, START) == "123"
    assert URLS.media_id_in(query, START + timedelta(minutes=4, seconds=59)) == "123"
    assert URLS.media_id_in(query, START + timedelta(minutes=5, seconds=1)) is None


def test_nothing_in_it_can_be_changed() -> None:
    query = query_of(URLS.url_of("123", START, base_url=""))
    for name, value in (
        ("mid", "124"),
        ("ext", str(int(query["ext"]) + 60)),
        ("hash", "0" * 64),
        ("ext", "x"),
        ("ext", ""),
    ):
        assert URLS.media_id_in({**query, name: value}, START) is None
    assert URLS.media_id_in({}, START) is None


def test_another_installation_cannot_sign_for_us() -> None:
    query = query_of(MediaUrls("another-secret").url_of("123", START, base_url=""))
    assert URLS.media_id_in(query, START) is None
