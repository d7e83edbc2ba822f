"""The routes of the fast path: accept a message, read one, take a notification.

Process: worker.

Each gives the answer of its handler in `messages.py`, `cloud_api/messages.py` or `cloud_webhook.py`. It declines every
request that it would have to refuse or wait for: then the handler answers.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

import orjson
from sanic import Sanic

from blueprints.cloud_api.messages import sent_json
from blueprints.rendering import accepted_json, head_of, json_bytes, message_json
from blueprints.request_reading import is_idempotency_key
from config.errors import RequestRefused
from config.json_limits import json_fault
from services.http_server.fast_path import Answer, FastRoute, FindFastRoute, LeaveFastPath, PendingAnswer
from services.http_server.header_cache import HeaderCache
from services.keys import Caller, Scope
from services.messages import Idempotency, SendRequest, is_read_mark, parse_content, parse_send_request
from services.wiring import WorkerServices

_MESSAGE_LINE: Final = re.compile(rb"GET /v1/messages/([A-Za-z0-9_]{1,64}) HTTP/1\.1")
_SEND_LINE: Final = re.compile(rb"POST /(?:v[0-9]{1,3}[.][0-9]{1,3}/)?([0-9]{1,32})/messages HTTP/1\.1")
_OK: Final = head_of(200)
_RECEIVED: Final = Answer(200, _OK, b'{"success":true}')


class _FastRoute:
    """``pattern`` is the router's; metrics use it as their label.

    ``begin`` starts the work and returns without waiting, or None: then the handler takes the request. The pending
    answer raises ``LeaveFastPath`` when only its outcome shows that the handler must answer, and passes on errors of
    the store.
    """

    method = "POST"

    def __init__(self, services: WorkerServices, pattern: str) -> None:
        self._services = services
        self.pattern = pattern

    def _caller(self, header: HeaderCache, scope: Scope) -> Caller | None:
        caller = self._services.key_cache.known(header.value("authorization"))
        return caller if caller is not None and caller.may(scope) else None


class AcceptRoute(_FastRoute):
    """``POST /v1/messages``: every message that ``begin`` of the acceptance takes."""

    def begin(self, header: HeaderCache, body: bytes) -> PendingAnswer | None:
        caller, raw, now = self._caller(header, Scope.MESSAGES_SEND), _object(body), self._services.clock.now()
        if caller is None or raw is None or not _may_be_once(header):
            return None
        try:
            send_request = parse_send_request(raw, now=now)
        except RequestRefused:
            return None
        storing = self._services.acceptance.begin(send_request, caller, _once(header, body), now=now)
        if storing is None:
            return None

        def result() -> Answer:
            accepted = storing.result()
            if accepted is None:
                raise LeaveFastPath
            head = head_of(202, f"location: /v1/messages/{accepted.id}\r\n".encode())
            return Answer(202, head, json_bytes(accepted_json(accepted)))

        return PendingAnswer(storing.done, result, caller.key_id)


class CloudApiRoute(_FastRoute):
    """``POST /{version or nothing}/{phone_number_id}/messages``: the same in Meta's form, read marks aside."""

    def begin(self, header: HeaderCache, body: bytes) -> PendingAnswer | None:
        caller, asked = self._caller(header, Scope.MESSAGES_SEND), _SEND_LINE.fullmatch(header.lines[0])
        raw = _object(body)
        if caller is None or asked is None or raw is None or is_read_mark(raw) or not _may_be_once(header):
            return None
        try:
            send_request = SendRequest(parse_content(raw), phone_number_id=asked[1].decode())
        except RequestRefused:
            return None
        once, now = _once(header, body, place=header.url), self._services.clock.now()
        storing = self._services.acceptance.begin(send_request, caller, once, now=now)
        if storing is None:
            return None
        named = raw.get("to") or raw.get("recipient")

        def result() -> Answer:
            accepted = storing.result()
            if accepted is None:
                raise LeaveFastPath
            return Answer(200, _OK, json_bytes(sent_json(accepted, named=named)))

        return PendingAnswer(storing.done, result, caller.key_id)


class ReadRoute(_FastRoute):
    """``GET /v1/messages/{id}``: a message that exists, of a number that the caller may use."""

    method = "GET"

    def begin(self, header: HeaderCache, body: bytes) -> PendingAnswer | None:
        caller, asked = self._caller(header, Scope.MESSAGES_READ), _MESSAGE_LINE.fullmatch(header.lines[0])
        if caller is None or asked is None:
            return None
        reading = self._services.messages.begin_get(asked[1].decode())

        def result() -> Answer:
            message = reading.result()
            if message is None or not caller.may_use(message.phone_number_id):
                raise LeaveFastPath
            return Answer(200, _OK, json_bytes(message_json(message)))

        return PendingAnswer(reading.done, result, caller.key_id)


class NotificationRoute(_FastRoute):
    """``POST /webhooks/whatsapp``: a notification with a valid signature."""

    def begin(self, header: HeaderCache, body: bytes) -> PendingAnswer | None:
        storing = self._services.webhook.begin(body, header.value("x-hub-signature-256"))
        if storing is None:
            return None

        def result() -> Answer:
            storing.result()
            return _RECEIVED

        return PendingAnswer(storing.done, result)


def _object(body: bytes) -> dict[str, Any] | None:
    """Return the body as a JSON object; None if it is not one or cannot be stored."""
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return raw if type(raw) is dict and json_fault(body, raw) is None else None


def _may_be_once(header: HeaderCache) -> bool:
    """Whether there is no ``Idempotency-Key``, or a valid one."""
    key = header.value("idempotency-key")
    return key is None or is_idempotency_key(key)


def _once(header: HeaderCache, body: bytes, *, place: bytes = b"") -> Idempotency | None:
    """The ``Idempotency-Key`` with a digest of ``place`` and body, as ``request_reading.idempotency_of`` makes it."""
    key = header.value("idempotency-key")
    return None if key is None else Idempotency(key=key, digest=hashlib.sha256(place + body).digest())


def fast_routes(app: Sanic[Any, Any], services: WorkerServices) -> FindFastRoute:
    """Return the function that finds a fast route by the request line. Call it once the router is final.

    The function returns None for a request that has no fast route.
    """

    def build(kind: Callable[[WorkerServices, str], FastRoute], path: str, method: str) -> FastRoute:
        route, _, _ = app.router.get(path, method, None)
        return kind(services, route.path)

    accept = build(AcceptRoute, "/v1/messages", "POST")
    receive = build(NotificationRoute, "/webhooks/whatsapp", "POST")
    read = build(ReadRoute, "/v1/messages/msg", "GET")
    versioned = build(CloudApiRoute, "/v23.0/1/messages", "POST")
    unversioned = build(CloudApiRoute, "/1/messages", "POST")
    exact = {b"POST /v1/messages HTTP/1.1": accept, b"POST /webhooks/whatsapp HTTP/1.1": receive}

    def find(first_line: bytes) -> FastRoute | None:
        found = exact.get(first_line)
        if found is not None:
            return found
        if first_line.startswith(b"GET /v1/messages/"):
            return read
        if first_line.endswith(b"/messages HTTP/1.1") and first_line.startswith(b"POST /"):
            return versioned if first_line.startswith(b"POST /v") else unversioned
        return None

    return find
