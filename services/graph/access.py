"""The Graph API with the tokens of our numbers: for what is neither a send nor a mark.

Process: worker, whatsapp.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from services.graph.classify import classify
from services.graph.client import GraphClient, appsecret_proof
from services.graph.management import GraphManagement
from services.graph.media import GraphMedia
from services.graph.outcomes import GraphRefused

NO_TOKEN_CODE = 104


@dataclass(frozen=True, slots=True)
class GraphAccess:
    """Clients of one host, and which token a phone number uses. ``base_url`` has no version. Never logged."""

    base_url: str
    version: str
    session: aiohttp.ClientSession
    client: GraphClient
    media: GraphMedia
    management: GraphManagement
    tokens: Callable[[str], str | None]
    app_secret: str | None = field(default=None, repr=False)

    def proof_of(self, token: str) -> dict[str, str]:
        """The query parameter that proves a call to be ours; empty without an app secret."""
        return {"appsecret_proof": appsecret_proof(token, self.app_secret)} if self.app_secret else {}

    def token_of(self, phone_number_id: str) -> str:
        """The access token of a number. Raises ``GraphRefused`` (104) when it has none."""
        token = self.tokens(phone_number_id)
        if token and token.isascii() and token.isprintable():
            return token
        rule = classify(NO_TOKEN_CODE)
        details = f"Number {phone_number_id} has no access token."
        raise GraphRefused(rule, http_status=rule.http_status, title=rule.title, details=details)


def graph_access(
    session: aiohttp.ClientSession,
    *,
    base_url: str,
    version: str,
    timeout_s: float,
    tokens: Callable[[str], str | None],
    app_secret: str | None = None,
) -> GraphAccess:
    """All clients of one host on one session, which its maker closes."""
    client = GraphClient(session, base_url=base_url, version=version, timeout_s=timeout_s, app_secret=app_secret)
    return GraphAccess(
        base_url=base_url,
        version=version,
        session=session,
        client=client,
        media=GraphMedia(client, session, graph_base_url=base_url),
        management=GraphManagement(client),
        tokens=tokens,
        app_secret=app_secret,
    )
