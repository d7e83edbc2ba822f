"""The requests of the scenarios as ready bytes.

Process: a command.
"""

import collections
import hashlib
import hmac
import itertools
import json
import random
import time
from collections.abc import Callable, Sequence

Request = Callable[[], bytes]
"""The next request of a scenario."""

FIRST_RECIPIENT = 16505550000
READY_WEBHOOKS = 40_000
"""Made before the clock runs, in about a second and 32 MB: none can be sent twice."""


def recipients(count: int) -> list[str]:
    """Numbers of the range that is kept for examples."""
    return [str(FIRST_RECIPIENT + position) for position in range(count)]


def http(method: str, path: str, key: str, body: bytes = b"", *, headers: str = "") -> bytes:
    """One request."""
    length = f"content-length: {len(body)}\r\ncontent-type: application/json\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n{length}{headers}\r\n"
    return head.encode() + body


def text_body(to: str, text: str) -> bytes:
    """A text message as a client of the Cloud API writes it."""
    message = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": text}}
    return json.dumps(message, separators=(",", ":")).encode()


def accepts(key: str, phones: Sequence[str]) -> Request:
    """Texts of several lengths to one phone after the other. Ready-made: making them is not what is measured."""
    text = "Your order 18-{} is on its way and arrives tomorrow between 9 and 12. Reply STOP to opt out."
    ready = [
        http("POST", "/v1/messages", key, text_body(phone, text.format(11 ** (n % 7))))
        for n, phone in enumerate(phones)
    ]
    turn = itertools.cycle(ready)
    return lambda: next(turn)


def reads(key: str, ids: Sequence[str], *, seed: int) -> Request:
    """Messages by id, at random among those that are there."""
    ready = [http("GET", f"/v1/messages/{message_id}", key) for message_id in ids]
    chance = random.Random(seed)
    return lambda: ready[int(chance.random() * len(ready))]


def mixed(first: Request, second: Request, *, share: float, seed: int) -> Request:
    """``first`` for this share of the requests, ``second`` for the others."""
    chance = random.Random(seed)
    return lambda: first() if chance.random() < share else second()


def webhooks(secret: str, *, number: str, waba: str, phones: Sequence[str], seed: int) -> Request:
    """Signed notifications of customers' messages, each with a wamid of its own. Ready-made, as long as they last."""
    count = itertools.count(seed * 10_000_000)

    def build() -> bytes:
        n = next(count)
        phone = phones[n % len(phones)]
        message = {
            "from": phone,
            "id": f"wamid.BENCH{n:012d}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": "Hello"},
        }
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
            "contacts": [{"profile": {"name": "Customer"}, "wa_id": phone}],
            "messages": [message],
        }
        envelope = {
            "object": "whatsapp_business_account",
            "entry": [{"id": waba, "changes": [{"value": value, "field": "messages"}]}],
        }
        body = json.dumps(envelope, separators=(",", ":")).encode()
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return http("POST", "/webhooks/whatsapp", "", body, headers=f"x-hub-signature-256: sha256={digest}\r\n")

    ready = collections.deque(build() for _ in range(READY_WEBHOOKS))
    return lambda: ready.popleft() if ready else build()
