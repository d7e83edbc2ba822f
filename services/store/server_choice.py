"""Which strategy fits the server? Its answer to ``hello`` decides. The only module that knows both.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from typing import Any

from services.store.embedded.server import REPLICA_SET, EmbeddedServer
from services.store.server_strategy import Connection, MongoServer, ServerStrategy


def choose_server(hello: Mapping[str, Any], connection: Connection) -> ServerStrategy:
    """The strategy for the server that answered ``hello``."""
    return EmbeddedServer(connection) if hello.get("setName") == REPLICA_SET else MongoServer(connection)
