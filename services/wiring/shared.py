"""Parts that workers and owner build the same way: database options, Graph API, egress policy.

Process: worker, whatsapp.
"""

import aiohttp

from config.settings import Settings
from services.egress import AddressPolicy
from services.graph import GraphAccess, graph_access
from services.store import DatabaseOptions

LEASE_NAME = "whatsapp"


def egress_policy(settings: Settings) -> AddressPolicy:
    """Return where subscribers' URLs may lead: plain HTTP in development only, private networks by setting."""
    return AddressPolicy(allow_private=settings.allow_private_urls, allow_http=not settings.is_production)


def graph_of(settings: Settings, session: aiohttp.ClientSession) -> GraphAccess:
    """Return the Graph API of this installation. The sandbox differs only in host and token."""
    is_sandbox = settings.whatsapp == "sandbox"
    token = (settings.sandbox_token if is_sandbox else settings.access_token).get_secret_value()
    return graph_access(
        session,
        base_url=f"http://127.0.0.1:{settings.sandbox_port}" if is_sandbox else settings.graph_base_url,
        version=settings.graph_version,
        timeout_s=settings.graph_timeout_s,
        tokens=lambda _phone_number_id: token,
        app_secret=settings.app_secret.get_secret_value(),
    )


def database_options(settings: Settings, pool: int, app_name: str, *, ops_per_s: float) -> DatabaseOptions:
    """Return the options of one process: ``pool`` connections, ``ops_per_s`` operations per second (0: no limit)."""
    return DatabaseOptions(
        uri=settings.database_uri,
        name=settings.db_name,
        pool=pool,
        wait_queue_ms=settings.db_wait_queue_ms,
        connect_ms=settings.db_connect_ms,
        select_ms=settings.db_select_ms,
        app_name=app_name,
        ops_per_s=ops_per_s,
    )
