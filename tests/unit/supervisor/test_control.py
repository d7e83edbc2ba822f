"""From the shell to main: a request, a signal, an answer."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.supervisor.control import answer, ask, leave_pid, take_scale_request
from services.supervisor.control_requests import ControlRequest, ControlRequests


@pytest.fixture
def control_requests(tmp_path: Path) -> Iterator[ControlRequests]:
    """Main's handlers in this process; the fixture restores the old ones."""
    signals = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT]
    signals += [signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR2]
    before = {signum: signal.getsignal(signum) for signum in signals}
    found = ControlRequests(run_dir=str(tmp_path))
    found.listen()
    yield found
    for signum, handler in before.items():
        signal.signal(signum, handler)


def test_nobody_there_is_told(tmp_path: Path) -> None:
    code, line = ask(str(tmp_path), "reload")
    assert code == 2
    assert "No cluster runs" in line
    assert "PANAL_DATA_DIR" in line, "the usual reason"


@pytest.mark.parametrize("words", [(), ("scale",), ("scale", "many"), ("scale", "-1"), ("explode",)])
def test_what_is_not_understood_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    leave_pid(str(tmp_path))
    code, line = ask(str(tmp_path), *words)
    assert code == 2
    assert line.startswith("usage")
    assert "make scale N=4" in line


@pytest.mark.parametrize(("line", "code"), [("from 2 to 4 workers", 0), ("refused: 40 workers are not possible", 1)])
def test_a_request_arrives_and_its_answer_comes_back(
    tmp_path: Path, control_requests: ControlRequests, line: str, code: int
) -> None:
    leave_pid(str(tmp_path))
    threading.Timer(0.2, answer, (str(tmp_path), line)).start()
    assert ask(str(tmp_path), "scale", "4") == (code, line)
    assert control_requests.take() == [ControlRequest("scale_to", "make scale", count=4)]
    assert take_scale_request(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("signum", "control_request"),
    [
        (signal.SIGTERM, ControlRequest("stop", "SIGTERM")),
        (signal.SIGINT, ControlRequest("stop", "SIGINT")),
        (signal.SIGQUIT, ControlRequest("abort", "SIGQUIT")),
        (signal.SIGTTIN, ControlRequest("scale_by", count=1)),
        (signal.SIGTTOU, ControlRequest("scale_by", count=-1)),
    ],
)
def test_signals_become_control_requests(
    control_requests: ControlRequests, signum: int, control_request: ControlRequest
) -> None:
    os.kill(os.getpid(), signum)
    assert control_requests.take() == [control_request]
    assert control_requests.take() == []


@pytest.mark.parametrize(
    ("message", "control_request"),
    [
        ("__SCALE__:3", ControlRequest("scale_to", count=3)),
        ("__ALL_PROCESSES__::STARTUP_FIRST", ControlRequest("reload", "a worker asked for it")),
        ("__ALL_PROCESSES__:server.py,config/settings.py", ControlRequest("reload", "a worker asked for it")),
        (
            "Sanic-Server-0-0,Sanic-WhatsApp-0:",
            ControlRequest("restart", names=("Sanic-Server-0-0", "Sanic-WhatsApp-0")),
        ),
        ("__TERMINATE__", ControlRequest("stop", "a worker asked for it")),
        (None, ControlRequest("stop", "a worker asked for it")),
    ],
)
def test_messages_of_workers_become_control_requests(
    control_requests: ControlRequests, message: str | None, control_request: ControlRequest
) -> None:
    control_requests.hear(message)
    assert control_requests.take() == [control_request]


@pytest.mark.parametrize("message", ["__TERMINATE_EARLY__", ("name", print, {})])
def test_other_messages_change_nothing(control_requests: ControlRequests, message: object) -> None:
    control_requests.hear(message)
    assert control_requests.take() == []
