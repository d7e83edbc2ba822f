import io
import logging
import logging.config
import threading
from collections.abc import Iterator

import orjson
import pytest

from config import logs
from config.logs import SANIC_LOGGING, setup_logging
from config.settings.fields import Settings
from config.settings.load import load_settings

PRODUCTION = load_settings(
    {
        "PANAL_PROFILE": "production",
        "PANAL_SECRET_KEY": "c2VjcmV0LWtleS1mb3ItdGhlLXRlc3RzLW9ubHk=",
        "PANAL_MONGODB_URI": "mongodb://panal:hunter2hunter2@db/",
        "PANAL_WHATSAPP": "web",
        "PANAL_APP_SECRET": "app-secret-0123456789",
        "PANAL_VERIFY_TOKEN": "verify-token-0123456789",
    }
)


@pytest.fixture(autouse=True)
def _root_logger_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logs.stop_logging()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


class _Written:
    """The lines of one process's log."""

    def __init__(self, settings: Settings) -> None:
        self.stream = io.StringIO()
        self._sink = setup_logging(settings, "Sanic-Server-0-0", stream=self.stream)
        self.log = logging.getLogger("services.messages.accept")

    def lines(self) -> list[str]:
        self._sink.stop()
        return self.stream.getvalue().splitlines()


def test_production_writes_json_lines_with_process_pid_action_and_ids() -> None:
    written = _Written(PRODUCTION)
    written.log.info("accepted %d", 1, extra={"action": "message.accepted", "message_id": "msg_1", "to": "16505551234"})
    (line,) = [orjson.loads(line) for line in written.lines()]
    assert line["process"] == "Sanic-Server-0-0"
    assert isinstance(line["pid"], int)
    assert (line["action"], line["message_id"], line["level"]) == ("message.accepted", "msg_1", "info")
    assert (line["message"], line["to"]) == ("accepted 1", "***1234")
    assert line["at"].endswith("Z")


def test_people_get_one_readable_line() -> None:
    written = _Written(Settings())
    written.log.warning("held", extra={"action": "message.held", "message_id": "msg_1"})
    (line,) = written.lines()
    assert "WARNING" in line
    assert "Sanic-Server-0-0" in line
    assert "message.held  held  message_id=msg_1" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("settings", [PRODUCTION, Settings()], ids=["json", "people"])
def test_no_secret_and_no_phone_number_reaches_the_log(settings: Settings) -> None:
    written = _Written(settings)
    secret = PRODUCTION.app_secret.get_secret_value() if settings is PRODUCTION else "Bearer s3cr3t-s3cr3t"
    try:
        raise RuntimeError(f"{secret} for 16505551234")
    except RuntimeError:
        written.log.exception("failed with %s", secret, extra={"action": "x.y", "body": "hola", "token": secret})
    text = "\n".join(written.lines())
    assert "RuntimeError" in text
    assert "***1234" in text
    assert "hola" not in text
    assert "16505551234" not in text
    assert secret.removeprefix("Bearer ") not in text


def test_an_extra_never_hides_a_fact() -> None:
    written = _Written(PRODUCTION)
    written.log.info("words", extra={"action": "a.b", "pid": "forged", "process_name": "x", "level": "forged"})
    (line,) = [orjson.loads(line) for line in written.lines()]
    assert isinstance(line["pid"], int)
    assert line["level"] == "info"


def test_sanics_own_lines_have_our_form() -> None:
    logging.config.dictConfig(SANIC_LOGGING)
    written = _Written(PRODUCTION)
    logging.getLogger("sanic.access").info(
        "", extra={"status": 200, "request": "GET http://127.0.0.1/x?to=16505551234"}
    )
    logging.getLogger("sanic.root").info("Goin' Fast")
    logging.config.dictConfig(SANIC_LOGGING)  # a second Sanic, or a reload, must not silence us
    logging.getLogger("sanic.error").error("broken")
    access, root, error = [orjson.loads(line) for line in written.lines()]
    assert (access["action"], access["status"], access["request"]) == (
        "http.request",
        200,
        "GET http://127.0.0.1/x?to=***1234",
    )
    assert (root["action"], root["message"]) == ("server.line", "Goin' Fast")
    assert (error["action"], error["level"]) == ("http.error", "error")


def test_a_stopped_sink_has_let_everything_out() -> None:
    below = io.BytesIO()
    sink = setup_logging(PRODUCTION, "Sanic-Server-0-0", stream=io.TextIOWrapper(below, encoding="utf-8"))
    for number in range(50):
        logging.getLogger("services.x").info("line %d", number)
    sink.stop()
    assert len(below.getvalue().splitlines()) == 50


class _BlockedPipe(io.StringIO):
    """A sink whose reader does not read until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may_write = threading.Event()

    def write(self, text: str) -> int:
        self.may_write.wait(10)
        return super().write(text)


def test_a_blocked_sink_blocks_nobody_and_what_was_dropped_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "QUEUE_LIMIT", 100)
    pipe = _BlockedPipe()
    sink = setup_logging(PRODUCTION, "Sanic-Server-0-0", stream=pipe)
    log = logging.getLogger("services.x")
    for number in range(500):
        log.info("line %d", number, extra={"action": "a.b"})
    dropped_count = sink.dropped_count
    assert dropped_count >= 390
    pipe.may_write.set()
    sink.stop()
    lines = [orjson.loads(line) for line in pipe.getvalue().splitlines()]
    assert lines[0]["message"] == "line 0"
    assert (lines[-1]["action"], lines[-1]["count"]) == ("log.dropped", dropped_count)


class _GonePipe(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_went_away_ends_nothing() -> None:
    sink = setup_logging(PRODUCTION, "Sanic-Server-0-0", stream=_GonePipe())
    logging.getLogger("services.x").info("into the void")
    sink.stop()
    assert sink.dropped_count >= 1


def test_a_record_that_cannot_be_written_is_named_and_the_log_goes_on() -> None:
    class Unprintable:
        def __str__(self) -> str:
            raise RuntimeError("no")

    written = _Written(PRODUCTION)
    written.log.info("first", extra={"action": "a.b", "thing": Unprintable()})
    written.log.info("second", extra={"action": "a.b"})
    lost, second = written.lines()
    assert "test_logs.py" in lost
    assert orjson.loads(second)["message"] == "second"


def test_debug_lines_stay_out_unless_asked_for() -> None:
    quiet = _Written(Settings())
    quiet.log.debug("x")
    assert quiet.lines() == []
    loud = _Written(Settings(log_level="DEBUG"))
    loud.log.debug("x")
    assert len(loud.lines()) == 1


FORGED = "a\n12:00:00.000 ERROR   Sanic-Main 1 forged\r\x1b[2J\u202e \udcff"


@pytest.mark.parametrize("settings", [PRODUCTION, Settings()], ids=["json", "people"])
def test_what_came_from_outside_forges_no_line_and_loses_none(settings: Settings) -> None:
    written = _Written(settings)
    written.log.info("said %s", FORGED, extra={"action": "x.y", "request_id": FORGED, "nested": {FORGED: [FORGED]}})
    try:
        raise ValueError(FORGED)
    except ValueError:
        written.log.exception("failed", extra={"action": "x.z"})
    lines = written.lines()
    assert sum(line.startswith("12:00:00") for line in lines) == 0
    text = "\n".join(lines)
    assert "x.y" in text
    assert "x.z" in text
    assert "ValueError" in text
    assert not {"\x1b", "\u202e", "\udcff", "\r"} & set(text)
    if settings is PRODUCTION:
        assert len([orjson.loads(line) for line in lines]) == 2
