"""What a request leaves in the log: facts with a duration, no query, no phone number."""

import json
import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sanic import Request

from config.log_formatters import JsonFormatter
from config.redaction import Redactor
from services.http_server.access_log import log_answer, log_request


def request(path: str, *, method: str = "GET", key_id: str | None = None) -> Request:
    caller = {"caller": SimpleNamespace(key_id=key_id)} if key_id else {}
    return cast(
        Request,
        SimpleNamespace(method=method, path=path, query_string="token=abc", id="req-1", ctx=SimpleNamespace(**caller)),
    )


def line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = caplog.records
    found: dict[str, Any] = json.loads(JsonFormatter(Redactor(), process_name="Sanic-Server-0-0").format(record))
    return found


def test_a_line_says_what_how_it_ended_and_how_long_it_took(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log_request(request("/v1/messages", method="POST", key_id="key_1"), status=202, seconds=0.01234)
    found = line(caplog)
    assert found["action"] == "http.request"
    assert (found["method"], found["path"], found["status"]) == ("POST", "/v1/messages", 202)
    assert (found["duration_ms"], found["request_id"], found["key_id"]) == (12.3, "req-1", "key_1")


def test_a_phone_number_is_masked_and_the_query_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log_request(request("/v1/contacts/15551234567"), status=200, seconds=0.1)
    found = json.dumps(line(caplog))
    assert "15551234567" not in found
    assert "/v1/contacts/***4567" in found
    assert "abc" not in found


@pytest.mark.parametrize("client", ["203.0.113.9", "2001:db8::7", "10.0.0.1", ""])
def test_the_client_is_named_whole(caplog: pytest.LogCaptureFixture, client: str) -> None:
    with caplog.at_level(logging.INFO):
        log_request(request("/v1/messages"), status=200, seconds=0.1, client=client)
    assert line(caplog)["client"] == client


def test_probes_are_told_only_when_they_fail(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log_request(request("/readyz"), status=200, seconds=0.1)
        assert not caplog.records
        log_request(request("/readyz"), status=503, seconds=0.1)
    assert line(caplog)["level"] == "warning"


def test_an_answer_without_a_request_of_its_own_has_the_same_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log_answer("POST", "/v1/messages", status=202, seconds=0.01234, key_id="key_1")
        log_request(request("/v1/messages", method="POST", key_id="key_1"), status=202, seconds=0.01234)
    short, long = (json.loads(JsonFormatter(Redactor(), process_name="p").format(record)) for record in caplog.records)
    assert len(short.pop("request_id")) == 36
    del long["request_id"]
    assert short | {"at": ""} == long | {"at": ""}
