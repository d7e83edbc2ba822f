"""Start-up lines: the words of the design, true PIDs, in order."""

from collections.abc import Mapping
from types import MappingProxyType

from services.supervisor.startup_lines import PATIENCE_S, StartupLines
from services.telemetry.scoreboard import ProcessRow, Vitals


class Stage:
    """What was said, and a clock that stands still until told."""

    def __init__(self, locale: str = "es", workers: int = 2) -> None:
        self.said: list[str] = []
        self.now = 0.0
        self.lines = StartupLines(locale, workers=workers, write=self.said.append, clock=lambda: self.now)


def row(
    name: str, role: str, pid: int, state: str = "ready", *, extra: Mapping[str, str] = MappingProxyType({})
) -> ProcessRow:
    return ProcessRow(name, role, pid, state, 0.0, 0.0, Vitals(state=state), extra)


def test_the_words_of_the_design_in_spanish() -> None:
    stage = Stage()
    stage.lines.open(cpus=4, pid=4242)
    owner = row("Sanic-WhatsApp-0", "whatsapp", 4250, extra={"state": "owner"})
    assert stage.lines([owner, row("Sanic-Server-0-0", "worker", 4243), row("Sanic-Server-1-0", "worker", 4244)])
    assert stage.said == [
        "🔄 Cluster Mode: 2 workers (4 CPUs disponibles)",
        "🎯 Worker principal iniciado (PID: 4242)",
        "✅ Worker 1 iniciado (PID: 4243)",
        "✅ Worker 2 iniciado (PID: 4244)",
        "📱 WhatsApp conectado (PID: 4250)",
    ]


def test_the_same_lines_in_english() -> None:
    stage = Stage("en", workers=1)
    stage.lines.open(cpus=1, pid=1)
    stage.lines([row("Sanic-Server-0-0", "worker", 7)])
    assert stage.said[1:] == ["🎯 Main worker started (PID: 1)", "✅ Worker 1 started (PID: 7)"]


def test_a_worker_is_told_once_it_serves_and_in_order() -> None:
    stage = Stage()
    first, second = row("Sanic-Server-0-0", "worker", 1, "starting"), row("Sanic-Server-1-0", "worker", 2)
    assert not stage.lines([first, second])
    assert stage.said == []
    assert stage.lines([row("Sanic-Server-0-0", "worker", 3), second])
    assert stage.said == ["✅ Worker 1 iniciado (PID: 3)", "✅ Worker 2 iniciado (PID: 2)"]


def test_the_whatsapp_line_waits_for_the_owners_own_word() -> None:
    stage = Stage(workers=0)
    assert not stage.lines([row("Sanic-WhatsApp-0", "whatsapp", 9)])
    assert stage.said == []
    stage.now = PATIENCE_S + 1
    assert stage.lines([row("Sanic-WhatsApp-0", "whatsapp", 9)])
    assert stage.said == ["📱 WhatsApp iniciando (PID: 9)"]


def test_a_worker_that_does_not_come_up_holds_the_others_back_for_a_while_only() -> None:
    stage = Stage()
    rows = [row("Sanic-Server-0-0", "worker", 0, "broken"), row("Sanic-Server-1-0", "worker", 2)]
    assert not stage.lines(rows)
    stage.now = PATIENCE_S + 1
    assert stage.lines(rows)
    assert stage.said == ["✅ Worker 2 iniciado (PID: 2)"]
