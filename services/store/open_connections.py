"""How many connections of the pool are open at this moment, as the driver reports it.

Process: worker, whatsapp.

The driver's monitors (two a server) do not appear here: the driver does not report them.
"""

import threading

from services.store.driver import ConnectionClosedEvent, ConnectionCreatedEvent, ConnectionPoolListener


class OpenConnections(ConnectionPoolListener):
    """Counts over all servers. The driver calls it on its own threads, hence the lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0
        self.peak = 0
        self.lost_count = 0
        """How often all of them were given up: the server went away, or answered its monitor no more."""

    def connection_created(self, event: ConnectionCreatedEvent) -> None:
        with self._lock:
            self.count += 1
            self.peak = max(self.peak, self.count)

    def connection_closed(self, event: ConnectionClosedEvent) -> None:
        with self._lock:
            self.count -= 1

    def pool_cleared(self, event: object) -> None:
        with self._lock:
            self.lost_count += 1

    def pool_created(self, event: object) -> None:
        """Ignored, as is everything below: the driver demands a method for each event."""

    def pool_ready(self, event: object) -> None: ...

    def pool_closed(self, event: object) -> None: ...

    def connection_ready(self, event: object) -> None: ...

    def connection_check_out_started(self, event: object) -> None: ...

    def connection_check_out_failed(self, event: object) -> None: ...

    def connection_checked_out(self, event: object) -> None: ...

    def connection_checked_in(self, event: object) -> None: ...
