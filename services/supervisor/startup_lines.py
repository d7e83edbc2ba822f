"""The lines that an operator sees while the cluster starts, with real PIDs.

Process: main.
"""

import time
from collections.abc import Callable, Sequence

from config.locales import catalog, text
from config.logs import say
from services.telemetry.scoreboard import ProcessRow

PATIENCE_S = 15.0  # then the next line is written anyway; the log says why a process does not start
UP = frozenset({"ready", "draining"})


class StartupLines:
    """A watcher for `supervise`: called with every row once a tick, it writes each line as soon as it is true.

    First one line for each worker that serves; then WhatsApp, once the owner has put its state on the scoreboard
    (`extra["state"]`: `owner`, `standby` …); then the rest.
    """

    def __init__(
        self,
        locale: str,
        *,
        workers: int,
        api_url: str = "",
        sandbox_url: str = "",
        database_url: str = "",
        write: Callable[[str], None] = say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._locale = locale
        self._workers = workers
        self._urls = {"database": database_url, "sandbox": sandbox_url}
        self._api_url = api_url
        self._write = write
        self._clock = clock
        self._told_workers = 0
        self._waiting_since = clock()

    def open(self, *, cpus: int, pid: int) -> None:
        """The first two lines, before any process exists."""
        self._say("cluster", workers=self._workers, cpus=cpus)
        self._say("main", pid=pid)

    def __call__(self, rows: Sequence[ProcessRow]) -> bool:
        """True once the last line is written."""
        workers = [row for row in rows if row.role == "worker"]
        while self._told_workers < self._workers:
            row = workers[self._told_workers] if self._told_workers < len(workers) else None
            if row is not None and row.state in UP:
                self._say("worker", index=self._told_workers + 1, pid=row.pid)
            elif not self._is_out_of_patience():
                return False
            self._told_workers += 1
            self._waiting_since = self._clock()
        owner = next((row for row in rows if row.role == "whatsapp"), None)
        if owner is not None:
            state = self._state_of(owner)
            if state == "starting" and not self._is_out_of_patience():
                return False
            self._say("whatsapp", state=text(self._locale, f"whatsapp_state.{state}"), pid=owner.pid)
        for role, url in self._urls.items():
            found = next((row for row in rows if row.role == role), None)
            if found is not None and url:
                self._say(role, url=url, pid=found.pid)
        if self._api_url:
            self._say("api", url=self._api_url)
        return True

    def _state_of(self, owner: ProcessRow) -> str:
        state = str(owner.extra.get("state", "starting"))
        return state if f"whatsapp_state.{state}" in catalog(self._locale) else "starting"

    def _is_out_of_patience(self) -> bool:
        return self._clock() - self._waiting_since > PATIENCE_S

    def _say(self, key: str, **figures: object) -> None:
        self._write(text(self._locale, f"startup.{key}", **figures))
