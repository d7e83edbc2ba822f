"""Records restarts of processes as events: main writes them on the scoreboard, the owner reads them there.

Process: whatsapp.
"""

import os
from typing import Final

from config.clock import Clock
from services.events import EventWriter
from services.store import Fact
from services.telemetry.scoreboard import ClusterEvent, Scoreboard

RECORDED: Final = frozenset({"restarted", "replaced"})
OWN_START_S: Final = 60.0


class ClusterEvents:
    """Records each restarted process once, in the log of the default number."""

    def __init__(self, scoreboard: Scoreboard, event_writer: EventWriter, number: str, clock: Clock) -> None:
        """Events before this term are old, except the start of this process itself."""
        self._scoreboard = scoreboard
        self._event_writer = event_writer
        self._number = number
        self._clock = clock
        self._since = clock.now().timestamp()
        self._own_since = self._since - OWN_START_S

    async def step(self) -> int:
        """Record new restarts. Returns 0: the next poll is early enough."""
        new = [event for event in self._scoreboard.facts().events if event.kind in RECORDED and self._is_new(event)]
        if new:
            self._own_since = self._since = max(event.at for event in new)
            now = self._clock.now()
            self._event_writer.record(
                [
                    Fact(
                        "cluster.process_restarted",
                        self._number,
                        now,
                        {"name": event.name, "pid": event.pid, "reason": event.reason},
                    )
                    for event in new
                ]
            )
        return 0

    def _is_new(self, event: ClusterEvent) -> bool:
        return event.at > (self._own_since if event.pid == os.getpid() else self._since)
