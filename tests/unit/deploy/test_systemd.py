"""The systemd unit: who gets which signal, and that systemd itself has nothing against it."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from config.settings.fields import Settings
from tests.unit.deploy.files import ROOT

UNIT = ROOT / "deploy" / "panal.service"
STOP_BESIDE_DRAIN_S = 5.0


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text(encoding="utf-8"))
    return parser["Service"]


def test_main_alone_is_told_to_stop_and_has_time_for_it() -> None:
    found = service()
    assert found["KillMode"] == "mixed"
    assert found["KillSignal"] == "SIGTERM"
    assert float(found["TimeoutStopSec"]) > Settings().drain_s + STOP_BESIDE_DRAIN_S


def test_a_wrong_setting_is_not_tried_for_ever() -> None:
    source = (ROOT / "server.py").read_text(encoding="utf-8")
    assert f"REFUSED_EXIT_CODE = {service()['RestartPreventExitStatus']}" in source


def test_a_reload_is_the_signal_that_replaces_the_workers() -> None:
    assert service()["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_it_may_write_where_it_keeps_its_data() -> None:
    found = service()
    assert found["ProtectSystem"] == "strict"
    assert f"PANAL_DATA_DIR=/var/lib/{found['StateDirectory']}" in found["Environment"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_accepts_it(tmp_path: Path) -> None:
    # The program and its user are not on this machine: everything else is judged.
    text = UNIT.read_text(encoding="utf-8").replace("/opt/panal/.venv/bin/sanic", shutil.which("true") or "/bin/true")
    copy = tmp_path / "panal.service"
    copy.write_text(text, encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "panal.service" in line and "man:" not in line]
    assert not complaints, done.stderr
