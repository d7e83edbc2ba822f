"""Requests to main: signals, messages of its workers, `make reload` and `make scale`.

Process: main. A signal handler only notes the request; the supervisor acts on it in its next tick.
"""

import logging
import signal
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal

from services.supervisor.control import take_scale_request
from services.supervisor.terminal import Terminal

Kind = Literal["stop", "abort", "reload", "scale_to", "scale_by", "restart"]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """`count` belongs to `scale_to` and `scale_by`, `names` to `restart`, `why` to the log."""

    kind: Kind
    why: str = ""
    count: int = 0
    names: tuple[str, ...] = ()


class ControlRequests:
    """Collects the requests.

    SIGTERM, SIGINT: stop. SIGHUP: reload. SIGTTIN, SIGTTOU: one worker more or less. SIGUSR2: `make scale`.
    SIGQUIT: kill everything now.
    """

    def __init__(self, *, run_dir: str) -> None:
        self._run_dir = run_dir
        self._noted: list[signal.Signals | ControlRequest] = []
        self._terminal = Terminal()

    def listen(self) -> None:
        def on_signal(signum: int, _frame: FrameType | None) -> None:
            self._noted.append(signal.Signals(signum))

        for signum in (
            *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT),
            *(signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR2),
        ):
            signal.signal(signum, on_signal)

    def take(self) -> list[ControlRequest]:
        """Return the requests since the last call, in order."""
        noted, self._noted = self._noted, []
        requests = [self._meaning(item) if isinstance(item, signal.Signals) else item for item in noted]
        return [request for request in requests if request is not None]

    def hear(self, message: Any) -> None:
        """Note a message of `app.m.restart()`, `app.m.scale()`, `app.stop()` or of a worker that cannot start."""
        if not message or message == "__TERMINATE__":
            self._noted.append(ControlRequest("stop", "a worker asked for it"))
        elif message == "__TERMINATE_EARLY__":
            logger.error("A worker could not start; its traceback is above.", extra={"action": "worker.start_failed"})
        elif not isinstance(message, str):
            logger.error("A process cannot be declared while we run.", extra={"action": "cluster.message_refused"})
        elif message.startswith("__SCALE__:"):
            self._noted.append(ControlRequest("scale_to", count=int(message.partition(":")[2])))
        elif message.startswith("__ALL_PROCESSES__"):
            self._noted.append(ControlRequest("reload", "a worker asked for it"))
        else:
            names = message.partition(":")[0].split(",")
            self._noted.append(ControlRequest("restart", names=tuple(name.strip() for name in names)))

    def _meaning(self, signum: signal.Signals) -> ControlRequest | None:
        match signum:
            case signal.SIGHUP:
                # A closed terminal sends the same signal as an operator who wants a reload.
                return (
                    ControlRequest("stop", "terminal closed")
                    if self._terminal.is_lost()
                    else ControlRequest("reload", "SIGHUP")
                )
            case signal.SIGQUIT:
                return ControlRequest("abort", "SIGQUIT")
            case signal.SIGTTIN | signal.SIGTTOU:
                return ControlRequest("scale_by", count=1 if signum is signal.SIGTTIN else -1)
            case signal.SIGUSR2:
                count = take_scale_request(self._run_dir)
                return ControlRequest("scale_to", "make scale", count=count) if count is not None else None
            case _:
                return ControlRequest("stop", signum.name)
