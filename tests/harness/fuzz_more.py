"""Odd requests that the API reference does not describe: headers of every call, files, CSV, signed notifications, the
console's own calls, the emulated phones.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.harness.fuzz import BODIES, JSON_VALUES, WORDS, Odd, odd_bodies

FIXTURES = Path(__file__).parents[1] / "unit" / "cloud_webhook" / "fixtures"
SECRET = b"sandbox-secret"
NODE = "106540352242922"

HEADERS = (
    b"host",
    b"x-request-id",
    b"cookie",
    b"origin",
    b"sec-fetch-site",
    b"x-forwarded-proto",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"forwarded",
    b"content-type",
    b"accept-encoding",
    b"user-agent",
    b"range",
    b"last-event-id",
    b"x-hub-signature-256",
    b"idempotency-key",
    b"if-none-match",
    b"file_offset",
    b"accept-language",
)
HEADER_VALUES = (
    b"\xff\xfe",
    b"\xe4\xb8\xad",
    b"",
    b"9" * 5000,
    "²".encode(),
    b"a;b=c,;=",
    b"[",
    b"[::1",
    b"http://[",
    b"panal_session=\xff; x=\xed\xa0\x80",
    b"%FF%00",
    b"text/csv; charset=\xff",
    b"application/json; charset=no-such-charset",
    b"multipart/form-data; boundary=" + b"x" * 257,
    b"multipart/form-data; boundary=\xff",
    b"application/x-www-form-urlencoded",
)


def odd_headers(media_id: str) -> Iterator[Odd]:
    """Every header with every value, where it could matter."""
    calls = (
        ("GET", "/v1/messages", "/v1/messages", b""),
        ("GET", "/v1/events/stream", "/v1/events/stream", b""),
        ("GET", "/v1/media/{media_id}/content", f"/v1/media/{media_id}/content", b""),
        ("POST", "/v1/messages", "/v1/messages", b'{"to":"16505551234","text":{"body":"x"}}'),
        ("POST", "/v1/media", "/v1/media", b"--x\r\n"),
        ("POST", "/v1/contacts/import", "/v1/contacts/import", b"to\r\n16505551234\r\n"),
        ("POST", "/webhooks/whatsapp", "/webhooks/whatsapp", b"{}"),
        ("POST", "/{version}/{phone_number_id}/messages", f"/v23.0/{NODE}/messages", b"{}"),
        ("POST", "/{version}/{phone_number_id}/media", f"/v23.0/{NODE}/media", b"--x\r\n"),
        ("GET", "/{version}/{id}", f"/v23.0/{media_id}", b""),
        ("GET", "", "/console", b""),
        ("GET", "", "/console/session", b""),
        ("POST", "", "/console/session", b'{"key":"x"}'),
        ("DELETE", "", "/console/session", b""),
        ("GET", "", "/no/such/path", b""),
    )
    for method, path, target, body in calls:
        for name in HEADERS:
            for value in HEADER_VALUES:
                yield Odd((method, path), target, body, ((name, value),))


def odd_forms() -> Iterator[Odd]:
    """Multipart bodies with odd fields."""
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
    words = [word.encode() for word in ("", "²", "-1", "0", "1e9", "9" * 5000, "\u202e", "x" * 9000, "a\0b")]
    words += [b"\xff\xfe", b"\xed\xa0\x80"]
    for operation, target in (
        (("POST", "/v1/media"), "/v1/media"),
        (("POST", "/{version}/{phone_number_id}/media"), f"/v23.0/{NODE}/media"),
    ):
        for word in words:
            for field in (b"ttl_minutes", b"type", b"messaging_product", word):
                yield _form(operation, target, (b'name="%b"' % field, word), (b'name="file"; filename="a.png"', png))
            yield _form(operation, target, (b'name="file"; filename="%b"' % word, png))
            yield _form(operation, target, (b"name=file; filename*=utf-8''%b" % word, png))
            kind = b'name="file"; filename="a"\r\nContent-Type: %b' % word
            yield _form(operation, target, (kind, png))
        for body in BODIES:
            yield Odd(operation, target, body, ((b"content-type", b"multipart/form-data; boundary=x"),))


def _form(operation: tuple[str, str], target: str, *parts: tuple[bytes, bytes]) -> Odd:
    body = b"".join(b"--x\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % part for part in parts)
    return Odd(operation, target, body + b"--x--\r\n", ((b"content-type", b"multipart/form-data; boundary=x"),))


def odd_files() -> Iterator[Odd]:
    """CSV of every kind, for contacts and for recipients."""
    cells = [word for word in WORDS if "%" not in word]
    cells += ["=1+1", "'", '"', "²", "\0", "\ud800", "1" * 5000, "{}", "[["]
    headers = ("to", "to,name", "to;labels", "to\tattributes", "to,all_consent,all_at", "to,opt_out", "\ufeffto", "")
    for header in headers:
        for cell in cells:
            text = f"{header}\r\n16505551234,{cell}\r\n{cell},{cell},{cell}\r\n"
            body = text.encode("utf-8", "surrogatepass")
            yield Odd(("POST", "/v1/contacts/import"), "/v1/contacts/import", body, ((b"content-type", b"text/csv"),))
    for body in (*BODIES, b"to\r\n" + b"\xff" * 100, b'to\r\n"' + b"x" * 70_000, b"to,to,to\r\n1,2,3\r\n"):
        yield Odd(("POST", "/v1/contacts/import"), "/v1/contacts/import", body, ((b"content-type", b"text/csv"),))


def odd_notifications() -> Iterator[Odd]:
    """Signed notifications: each fixture with each odd value in some place of it, another one each time."""
    for turn, path in enumerate(sorted(FIXTURES.glob("*.json"))):
        base = json.loads(path.read_bytes())
        yield from (_signed(body) for body in odd_bodies(base, most=60, start=turn % 61, every=61))
    for body in BODIES:
        yield _signed(body)


def _signed(body: bytes) -> Odd:
    sign = b"sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest().encode()
    return Odd(("POST", "/webhooks/whatsapp"), "/webhooks/whatsapp", body, ((b"x-hub-signature-256", sign),))


def odd_pages() -> Iterator[Odd]:
    """Paths of the console and of the documentation, and what only the console's own pages call."""
    for word in WORDS:
        for path in ("/console/", "/console/inbox/", "/console/assets/", "/console/assets/x/", "/docs/assets/"):
            yield Odd(("GET", ""), f"{path}{word}")
        yield Odd(("GET", ""), f"/console/history?minutes={word}")
        yield Odd(("GET", ""), f"/console/latest-events?limit={word}")
        yield Odd(("GET", ""), f"/console/sandbox/phones/{word}/messages")
        yield Odd(("GET", ""), f"/console/sandbox/media/{word}")
        yield Odd(("GET", ""), f"/console/sandbox/phones?limit={word}")
        yield Odd(("GET", ""), f"/oauth/access_token?client_id={word}")
        yield Odd(("GET", ""), f"/{word}")
        yield Odd(("GET", ""), f"/v{word}/{NODE}")
    for value in JSON_VALUES:
        yield Odd(("POST", ""), "/console/session", b'{"key": %b}' % value.encode("utf-8", "surrogatepass"))
    for body in BODIES:
        yield Odd(("POST", ""), "/console/session", body)
        yield Odd(("POST", ""), "/oauth/access_token", body)


SANDBOX: dict[tuple[str, str], list[Any]] = {
    ("POST", f"/v23.0/{NODE}/block_users"): [{"block_users": [{"user": "16505551234"}]}],
    ("DELETE", f"/v23.0/{NODE}/block_users"): [{"block_users": [{"user": "16505551234"}]}],
    ("POST", f"/v23.0/{NODE}/uploads"): [{"file_length": 10, "file_type": "image/png", "file_name": "a.png"}],
    ("POST", f"/v23.0/{NODE}/whatsapp_business_profile"): [
        {"messaging_product": "whatsapp", "about": "x", "websites": ["https://x.test"], "email": "a@x.test"}
    ],
    ("POST", f"/v23.0/{NODE}/settings"): [{"calling": {"status": "ENABLED"}}],
    ("POST", f"/v23.0/{NODE}/register"): [{"messaging_product": "whatsapp", "pin": "123456"}],
    ("POST", f"/v23.0/{NODE}/request_code"): [{"code_method": "SMS", "language": "en"}],
    ("POST", f"/v23.0/{NODE}/verify_code"): [{"code": "123456"}],
    ("POST", f"/v23.0/{NODE}/message_qrdls"): [{"prefilled_message": "x", "generate_qr_image": "PNG", "code": "X"}],
    ("POST", f"/v23.0/{NODE}/marketing_messages"): [
        {
            "messaging_product": "whatsapp",
            "to": "16505551234",
            "type": "template",
            "template": {"name": "hello_world", "language": {"code": "en_US"}, "components": []},
        }
    ],
    ("POST", f"/v23.0/{NODE}/messages"): [
        {
            "messaging_product": "whatsapp",
            "to": "16505551234",
            "type": "template",
            "template": {
                "name": "hello_world",
                "language": {"code": "en_US"},
                "components": [
                    {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload"}]},
                    {"type": "body", "parameters": [{"type": "text", "text": "x"}]},
                ],
            },
        },
        {"messaging_product": "whatsapp", "to": "16505551234", "type": "text", "text": {"body": "x"}},
        {"status": "read", "message_id": "wamid.x", "typing_indicator": {"type": "text"}},
    ],
    ("POST", "/v23.0/102290129340398/message_templates"): [
        {
            "name": "fuzz",
            "language": "en_US",
            "category": "UTILITY",
            "components": [
                {"type": "BODY", "text": "Hi {{1}}", "example": {"body_text": [["Ann"]]}},
                {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "x", "url": "https://x.test/{{1}}"}]},
            ],
        }
    ],
    ("POST", "/v23.0/102290129340398/flows"): [{"name": "x", "categories": ["OTHER"]}],
    ("POST", "/v23.0/102290129340398/subscribed_apps"): [{"override_callback_uri": "http://127.0.0.1:9/"}],
}
"""Calls of the Graph API that Panal hands on to the emulator."""

CONTROL: dict[tuple[str, str], list[Any]] = {
    ("POST", "/_sandbox/phones/16505551234/messages"): [
        {"type": "text", "text": {"body": "x"}, "context": {"message_id": "wamid.x"}},
        {"press": {"index": 0, "id": "x"}},
        {"type": "image", "image": {"link": "/_sandbox/sample.png", "caption": "x"}},
    ],
    ("PUT", "/_sandbox/phones/16505551299"): [
        {"delivers": True, "delay_ms": 0, "replies": None, "blocked": False, "name": "x"}
    ],
    ("POST", "/_sandbox/rules"): [{"match": {"path": "none"}, "when": {"next": 1}, "then": {"delay_ms": 1}}],
    ("PUT", "/_sandbox/settings"): [{"media_needs_token": False}],
    ("PUT", "/_sandbox/numbers/106540352242922"): [{"verified_name": "x"}],
    ("POST", "/_sandbox/templates/1"): [{"status": "APPROVED", "reason": "x"}],
    ("POST", "/_sandbox/notifications"): [{"field": "account_update", "value": {"event": "x"}}, {"errors": [131000]}],
}
"""Calls of the emulator's own control API."""


def odd_graph_calls(calls: dict[tuple[str, str], list[Any]]) -> Iterator[Odd]:
    """Each of these calls with each odd value in each place."""
    for operation, bases in calls.items():
        for base in bases:
            for body in odd_bodies(base, most=40):
                yield Odd(operation, operation[1], body)
        for body in BODIES:
            yield Odd(operation, operation[1], body)


def odd_graph_queries() -> Iterator[Odd]:
    """Reads of the emulator with odd paths and queries."""
    edges = ("", "/message_templates", "/phone_numbers", "/block_users", "/message_qrdls", "/flows", "/settings")
    for word in WORDS:
        for edge in edges:
            for name in ("limit", "after", "before", "fields", "ids"):
                yield Odd(("GET", ""), f"/v23.0/102290129340398{edge}?{name}={word}")
        yield Odd(("GET", ""), f"/v23.0/{word}")
        yield Odd(("GET", ""), f"/v{word}/{NODE}")
        yield Odd(("GET", ""), f"/whatsapp_business/attachments/?mid=1&ext={word}&hash=x")
        yield Odd(("GET", ""), f"/_sandbox/log?after={word}")
        yield Odd(("GET", ""), f"/_sandbox/phones/{word[:4000]}/messages?limit={word[:3000]}")
        yield Odd(("GET", ""), f"/_sandbox/sample.{word}")
        yield Odd(("DELETE", ""), f"/_sandbox/rules/{word}")
