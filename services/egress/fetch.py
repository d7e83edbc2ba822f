"""Open a URL that somebody else chose, following redirects only to where the first URL might have led.

Process: worker, whatsapp.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin

from aiohttp import ClientError, ClientResponse, ClientSession

from services.egress.addresses import AddressPolicy
from services.egress.connector import refusal_in
from services.egress.urls import UrlRefused, check_url

REDIRECTS = frozenset({301, 302, 303, 307, 308})


class TooManyRedirects(UrlRefused):
    """It leads from one place to the next without an end."""

    code = "too_many_redirects"


def _joined(base: str, location: str) -> str:
    """Where a redirect leads. Raises ``UrlRefused`` where nobody can tell."""
    try:
        return urljoin(base, location)
    except ValueError as error:
        raise UrlRefused("redirects to something that is no URL") from error


@asynccontextmanager
async def open_url(
    session: ClientSession, method: str, url: str, policy: AddressPolicy, *, max_redirects: int = 0, **request: Any
) -> AsyncIterator[ClientResponse]:
    """The answer to a request, its body not read yet. ``session`` must stand on a ``guarded_connector``.

    Every hop passes ``check_url``. With ``max_redirects`` 0 a redirect is an answer like any other. Raises
    ``UrlRefused`` (also for a refused address), and what aiohttp raises otherwise.
    """
    target = check_url(url, policy).text
    left = max_redirects
    while True:
        try:
            response = await session.request(method, target, allow_redirects=False, **request)
        except (ClientError, OSError) as error:
            refused = refusal_in(error)
            if refused is None:
                raise
            raise UrlRefused(f"leads to an address that is {refused.why}") from error
        location = response.headers.get("location")
        if response.status not in REDIRECTS or not location or not max_redirects:
            break
        response.release()
        if left == 0:
            raise TooManyRedirects(f"redirects more than {max_redirects} times")
        left -= 1
        target = check_url(_joined(target, location), policy).text
        if response.status == 303:
            method = "GET"
            request.pop("data", None)
    try:
        yield response
    finally:
        response.release()
