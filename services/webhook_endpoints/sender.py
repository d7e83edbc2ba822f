"""One try: post it, and say what came back.

Process: whatsapp.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from ssl import SSLError
from typing import Protocol

from aiohttp import ClientConnectorDNSError, ClientError, ClientResponse, ClientSession, ClientSSLError, ClientTimeout

from services.egress import AddressPolicy, UrlRefused, open_url
from services.webhook_endpoints.envelope import Envelope
from services.webhook_endpoints.schedule import retry_after_s

ANSWER_BYTES = 1024
REST_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a try brought. ``status`` None: no answer, and ``error`` says why. ``body``: its first 1 KB."""

    status: int | None
    error: str | None
    duration_ms: int
    body: str = ""
    retry_after_s: float | None = None

    @property
    def is_delivered(self) -> bool:
        """2xx, and nothing else: a redirect is not followed, and not a success."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """410: the receiver says that it wants nothing any more."""
        return self.status == 410


class Sender(Protocol):
    """Posts deliveries. The real one speaks HTTP; tests have one that is scripted."""

    async def send(self, url: str, envelope: Envelope) -> Answer:
        """One try. Never raises for what the other side does."""
        ...


class HttpSender:
    """Posts over a guarded session (see ``services/egress``)."""

    def __init__(self, session: ClientSession, policy: AddressPolicy, *, timeout_s: float) -> None:
        """``session`` must stand on a guarded connector."""
        self._session = session
        self._policy = policy
        self._timeout = ClientTimeout(total=timeout_s, connect=min(10.0, timeout_s))

    async def send(self, url: str, envelope: Envelope) -> Answer:
        """One POST, its answer read as far as it is kept."""
        began = time.monotonic()
        status: int | None = None
        error: str | None = None
        body = ""
        wait_s: float | None = None
        try:
            async with open_url(
                self._session,
                "POST",
                url,
                self._policy,
                data=envelope.body,
                headers=envelope.headers,
                timeout=self._timeout,
            ) as response:
                status = response.status
                wait_s = retry_after_s(response.headers.get("retry-after"), datetime.now(UTC))
                body = await _first_bytes(response)
        except UrlRefused as refusal:
            error = f"refused: {refusal.reason}"
        except TimeoutError:
            # The status line may be here already; without the whole answer in time it is a failure all the same.
            status, error = None, f"no answer within {self._timeout.total:g} s"
        except (ClientError, OSError, ValueError) as failure:
            if status is None:
                error = _words(failure)
        return Answer(
            status=status,
            error=error,
            duration_ms=round((time.monotonic() - began) * 1000),
            body=body,
            retry_after_s=wait_s,
        )


async def _first_bytes(response: ClientResponse) -> str:
    """The first KB; what goes far beyond it is not waited for."""
    kept = b""
    while len(kept) < ANSWER_BYTES:
        chunk = await response.content.read(ANSWER_BYTES - len(kept))
        if not chunk:
            break
        kept += chunk
    rest = 0
    while not response.content.at_eof():
        rest += len(await response.content.read(REST_BYTES))
        if rest > REST_BYTES:
            response.close()
            break
    return kept.decode("utf-8", "replace").replace("\0", "\ufffd")


def _words(failure: Exception) -> str:
    if isinstance(failure, ClientConnectorDNSError):
        return "its name cannot be resolved"
    if isinstance(failure, ClientSSLError | SSLError):
        return f"TLS failed: {type(failure).__name__}"
    if isinstance(failure, ClientError) and isinstance(getattr(failure, "os_error", None), ConnectionRefusedError):
        return "the connection was refused"
    return f"the connection failed: {type(failure).__name__}"
