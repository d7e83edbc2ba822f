"""What a receiver echoes of an endpoint's own secrets is not kept, in whatever form it writes them."""

import base64
import json
from urllib.parse import quote

import pytest

from services.webhook_endpoints.concealment import Concealer
from services.webhook_endpoints.records import Target
from services.webhook_endpoints.sender import ANSWER_BYTES
from services.webhook_endpoints.service import shown_url

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PASSWORD = 'pä"ss w/örd&1'
BASIC = "Basic " + base64.b64encode(f"shop:{PASSWORD}".encode()).decode()
TARGET = Target(
    "https://shop.example/hooks/T0K3N-in-the-path/x?token=q%2Fu%C3%A9ry-t0ken&short=1",
    {"authorization": BASIC, "x-key": "header-value-77", "cookie": "sid=cookie-value-99; theme=dark"},
)
CONCEALER = Concealer(TARGET, [SECRET])


@pytest.mark.parametrize(
    "hidden",
    [
        "T0K3N-in-the-path",
        "q%2Fu%C3%A9ry-t0ken",
        "q/uéry-t0ken",
        json.dumps("q/uéry-t0ken"),
        "q\\/u\\u00e9ry-t0ken",
        SECRET,
        SECRET.removeprefix("whsec_"),
        "header-value-77",
        BASIC,
        BASIC.removeprefix("Basic "),
        PASSWORD,
        json.dumps(PASSWORD)[1:-1],
        quote(PASSWORD),
        f"shop:{PASSWORD}",
        "cookie-value-99",
        "hooks/T0K3N-in-the-path/x?token=q%2Fu%C3%A9ry-t0ken&amp;short=1",
    ],
)
def test_it_is_hidden(hidden: str) -> None:
    shown = CONCEALER.text(f"I got <{hidden}> from you")
    assert hidden not in shown
    assert "***" in shown


def test_words_of_an_answer_stay() -> None:
    answer = '{"error": "no such hook: /hooks is not a webhook of shop, x=1, short, token, dark"}'
    assert CONCEALER.text(answer) == answer
    plain = Concealer(Target("https://shop.example/hooks/panal"), [SECRET])
    assert plain.text("POST /hooks/panal 404") == "POST /hooks/panal 404"


@pytest.mark.parametrize("kept", range(6, len(SECRET)))
def test_a_secret_that_the_end_cuts_is_hidden_as_well(kept: int) -> None:
    answer = "x" * (ANSWER_BYTES - kept) + SECRET[:kept]
    assert CONCEALER.text(answer) == "x" * (ANSWER_BYTES - kept) + "***"


def test_an_endpoint_without_secrets_in_its_url_hides_nothing_else() -> None:
    assert Concealer(Target(""), []).text("anything") == "anything"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://shop.example", "https://shop.example/"),
        ("https://shop.example/", "https://shop.example/"),
        ("https://shop.example:8443//", "https://shop.example:8443/"),
        ("https://shop.example/T0K3N", "https://shop.example/***"),
        ("https://shop.example/?t=1", "https://shop.example/***"),
        ("https://shop.example/a/b?t=1", "https://shop.example/***"),
        ("http://[::1]:9000/x", "http://[::1]:9000/***"),
    ],
)
def test_events_and_logs_show_the_host_alone(url: str, shown: str) -> None:
    assert shown_url(url) == shown
