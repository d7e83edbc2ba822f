"""What a log line looks like: JSON for machines, one readable line for people. Both carry process, pid, action and ids.

Process: all of them, in the thread that writes the log.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from config.clock import rfc3339
from config.printable import json_of, printable, printable_lines
from config.redaction import Redactor

NO_ACTION = "log.line"
"""The action of a line that has none: a library wrote it."""

FOREIGN_ACTIONS = {"sanic.access": "http.request", "sanic.error": "http.error", "sanic": "server.line"}
STANDARD_FIELDS = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "taskName"}
COLOURS = {logging.DEBUG: 90, logging.INFO: 36, logging.WARNING: 33, logging.ERROR: 31, logging.CRITICAL: 31}
FAINT, RESET = "\x1b[2m", "\x1b[0m"


class _Formatter(logging.Formatter):
    """The facts of a record, already cleaned."""

    def __init__(self, redactor: Redactor, *, process_name: str) -> None:
        super().__init__()
        self._redactor = redactor
        self._process_name = process_name

    def action(self, record: logging.LogRecord) -> str:
        given = getattr(record, "action", None)
        if given is not None:
            return str(given)
        return FOREIGN_ACTIONS.get(record.name) or FOREIGN_ACTIONS.get(record.name.partition(".")[0]) or NO_ACTION

    def extras(self, record: logging.LogRecord) -> dict[str, Any]:
        """What the caller gave with `extra=`, cleaned, in its order."""
        return {
            key: self._redactor.value(key, value)
            for key, value in vars(record).items()
            if key not in STANDARD_FIELDS and key != "action" and value is not None
        }

    def words(self, record: logging.LogRecord) -> str:
        return self._redactor.text(record.getMessage())

    def trace(self, record: logging.LogRecord) -> str:
        """The traceback, cleaned as well: an exception's text may quote what it choked on."""
        text = (
            self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else record.exc_text or ""
        )
        stack = self.formatStack(record.stack_info) if record.stack_info else ""
        return self._redactor.text("\n".join(part for part in (text, stack) if part))


class JsonFormatter(_Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = {
            "at": rfc3339(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "process": self._process_name,
            "pid": record.process,
            "action": self.action(record),
            "logger": record.name,
        }
        # A caller's extra never hides one of these.
        facts |= {key: value for key, value in self.extras(record).items() if key not in facts}
        if words := self.words(record):
            facts["message"] = words
        if trace := self.trace(record):
            facts["trace"] = trace
        return json_of(facts).decode()


class TextFormatter(_Formatter):
    """`12:03:04.567 INFO    Sanic-Server-0-0 4243 message.accepted  the words  message_id=msg_…`"""

    def __init__(self, redactor: Redactor, *, process_name: str, is_coloured: bool) -> None:
        super().__init__(redactor, process_name=process_name)
        self._is_coloured = is_coloured

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
        who = f"{self._process_name} {record.process}"
        level = f"{record.levelname:<7}"
        extras = " ".join(printable(f"{key}={value}") for key, value in self.extras(record).items())
        if self._is_coloured:
            at, who, extras = f"{FAINT}{at}{RESET}", f"{FAINT}{who}{RESET}", f"{FAINT}{extras}{RESET}" if extras else ""
            level = f"\x1b[{COLOURS.get(record.levelno, 0)}m{level}{RESET}"
        line = "  ".join(
            part
            for part in (f"{at} {level} {who} {self.action(record)}", printable_lines(self.words(record)), extras)
            if part
        )
        trace = printable_lines(self.trace(record))
        return f"{line}\n{trace}" if trace else line
