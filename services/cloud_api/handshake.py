"""Meta's handshake with a callback: a challenge that must come back.

Process: worker.

Source: Meta, "Webhooks, create endpoint" (2026-09-11).
"""

import secrets
from typing import Final

import aiohttp
from yarl import URL

from config.errors import RequestRefused
from services.egress import AddressPolicy, open_url

LIMITS: Final = aiohttp.ClientTimeout(total=10, sock_connect=5)
CHALLENGE_MAX_BYTES: Final = 4096


class Handshake:
    """Asks addresses that clients name. ``session`` must stand on the guarded connector of ``policy``."""

    def __init__(self, session: aiohttp.ClientSession, policy: AddressPolicy) -> None:
        self._session = session
        self._policy = policy

    async def fault(self, url: str, verify_token: str) -> str | None:
        """Why this address is no callback, in Meta's words where it has some; None when the challenge came back."""
        challenge = str(secrets.randbelow(9 * 10**9) + 10**9)
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        try:
            asked = str(URL(url).update_query(query))
            async with open_url(self._session, "GET", asked, self._policy, timeout=LIMITS) as answer:
                text = (await answer.content.read(CHALLENGE_MAX_BYTES)).decode("utf-8", "replace").strip()
                if answer.status == 200 and text == challenge:
                    return None
                return f"HTTP Status Code = {answer.status}; HTTP Message = {answer.reason}"
        except RequestRefused as refusal:
            return refusal.text
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return type(error).__name__
