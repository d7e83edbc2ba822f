"""One form for every log line, of all processes, and a thread of its own that writes them: no request waits for a disk.

Process: all of them; each calls `setup_logging` once, first thing. `sanic_logging()` gives Sanic's own loggers to it.
"""

import atexit
import contextlib
import logging
import os
import queue
import sys
import threading
from logging.handlers import QueueHandler
from typing import Any, TextIO

from config.log_formatters import JsonFormatter, TextFormatter
from config.redaction import Redactor
from config.settings import Settings

QUEUE_LIMIT = 20_000
"""Lines that wait for a slow or blocked sink. Past it lines are dropped and counted: the service goes on."""

STOP_LIMIT_S = 2.0

SANIC_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {
        "sanic.root": {"level": "INFO", "handlers": [], "propagate": True},
        "sanic.error": {"level": "INFO", "handlers": [], "propagate": True},
        "sanic.access": {"level": "INFO", "handlers": [], "propagate": True},
        "sanic.server": {"level": "INFO", "handlers": [], "propagate": True},
        "sanic.websockets": {"level": "WARNING", "handlers": [], "propagate": True},
    },
}
"""For `Sanic(…, log_config=SANIC_LOGGING)`: no handlers of Sanic's own, everything goes up to ours."""

QUIET_LOGGERS = ("pymongo", "motor", "asyncio", "aiohttp.access", "urllib3")
"""They speak at INFO or DEBUG of every command; their warnings are welcome."""


class _Queued(QueueHandler):
    """Hands records to the writing thread: no formatting, no waiting, no growing without end."""

    def __init__(self, lines: "queue.SimpleQueue[logging.LogRecord | None]") -> None:
        super().__init__(lines)
        self._lines = lines
        self.dropped_count = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Fill in the arguments now (they may change); everything else is the other thread's work."""
        record.message = record.getMessage()
        record.args = None
        record.msg = record.message
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        if self._lines.qsize() >= QUEUE_LIMIT:
            self.dropped_count += 1
        else:
            self._lines.put(record)


class LogSink:
    """The writing thread of this process. `stop()` writes what waits, with a limit, and ends it."""

    def __init__(self, form: logging.Formatter, stream: TextIO) -> None:
        self._lines: queue.SimpleQueue[logging.LogRecord | None] = queue.SimpleQueue()
        self._form = form
        self._stream = stream
        self._told_dropped_count = 0
        self.handler = _Queued(self._lines)
        self._thread = threading.Thread(target=self._write_all, name="log-sink", daemon=True)
        self._thread.start()

    @property
    def dropped_count(self) -> int:
        """Lines that were dropped because the sink was too slow."""
        return self.handler.dropped_count

    def stop(self) -> None:
        """Idempotent. After it records are dropped, not an error."""
        if self._thread.is_alive():
            self._lines.put(None)
            self._thread.join(STOP_LIMIT_S)

    def _write_all(self) -> None:
        while (record := self._lines.get()) is not None:
            self._write(record)
            if self._lines.empty():
                self._settle()
        self._settle()

    def _settle(self) -> None:
        """Nothing waits: say what was dropped, and let it all out."""
        if self.dropped_count > self._told_dropped_count:
            self._tell_dropped()
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def _write(self, record: logging.LogRecord) -> None:
        try:
            self._stream.write(self._form.format(record) + "\n")
        except (OSError, ValueError):
            # The reader of our output is gone: no line can reach it, and the service goes on.
            self.handler.dropped_count += 1
        except Exception:
            # A record that cannot be formatted must not end the log; say which one it was.
            with contextlib.suppress(OSError, ValueError):
                self._stream.write(f"log line lost: it could not be written ({record.pathname}:{record.lineno})\n")

    def _tell_dropped(self) -> None:
        count, self._told_dropped_count = self.dropped_count - self._told_dropped_count, self.dropped_count
        told = logging.LogRecord(__name__, logging.WARNING, __file__, 0, "log lines were dropped", None, None)
        told.__dict__.update(action="log.dropped", count=count)
        self._write(told)


_current: LogSink | None = None


def setup_logging(settings: Settings, process_name: str, *, stream: TextIO | None = None) -> LogSink:
    """Send every logger of this process through one sink: JSON lines in production, lines for people otherwise.

    A second call replaces the first. The sink is stopped at exit as well, but a managed process that leaves by
    `os._exit` must call `stop()` itself.
    """
    global _current
    if _current is not None:
        _current.stop()
    target = sys.stdout if stream is None else stream
    redactor = Redactor(secrets=_secrets(settings), public=_public_numbers(settings))
    form: logging.Formatter
    if settings.is_production:
        form = JsonFormatter(redactor, process_name=process_name)
    else:
        form = TextFormatter(redactor, process_name=process_name, is_coloured=_may_colour(target))
    _current = LogSink(form, target)
    root = logging.getLogger()
    root.handlers[:] = [_current.handler]
    root.setLevel(settings.log_level)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    return _current


@atexit.register
def stop_logging() -> None:
    """Write what still waits. For the end of a process."""
    if _current is not None:
        _current.stop()


def say(line: str) -> None:
    """A line for the person at the terminal, word for word, in one write: start-up lines of processes do not mix.

    A full disk or a reader that has gone is no reason not to start.
    """
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _secrets(settings: Settings) -> list[str]:
    fields = (getattr(settings, name) for name in type(settings).model_fields)
    return [field.get_secret_value() for field in fields if hasattr(field, "get_secret_value")]


def _public_numbers(settings: Settings) -> list[str]:
    """Our own numbers and ids look like phone numbers, and are needed to understand a log."""
    return [settings.number, settings.waba, settings.display_phone_number]


def _may_colour(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
