"""What happens to the cluster, told in the log: main writes it on the scoreboard, the owner reads it there.

Process: whatsapp.
"""

import os
from typing import Final

from config.clock import Clock
from services.events import EventWriter
from services.store import Fact
from services.telemetry.scoreboard import ClusterEvent, Scoreboard

TOLD: Final = frozenset({"restarted", "replaced"})
OWN_START_S: Final = 60.0


class ClusterEvents:
    """Tells of processes that were started again, once each, in the log of the default number."""

    def __init__(self, scoreboard: Scoreboard, event_writer: EventWriter, number: str, clock: Clock) -> None:
        """What was before this term is old news, but for the start of this very process."""
        self._scoreboard = scoreboard
        self._event_writer = event_writer
        self._number = number
        self._clock = clock
        self._since = clock.now().timestamp()
        self._own_since = self._since - OWN_START_S

    async def step(self) -> int:
        """Tell what is new; answers 0, since the scoreboard is only looked at now and then."""
        news = [event for event in self._scoreboard.facts().events if event.kind in TOLD and self._is_new(event)]
        if news:
            self._own_since = self._since = max(event.at for event in news)
            now = self._clock.now()
            self._event_writer.record(
                [
                    Fact(
                        "cluster.process_restarted",
                        self._number,
                        now,
                        {"name": event.name, "pid": event.pid, "reason": event.reason},
                    )
                    for event in news
                ]
            )
        return 0

    def _is_new(self, event: ClusterEvent) -> bool:
        return event.at > (self._own_since if event.pid == os.getpid() else self._since)
