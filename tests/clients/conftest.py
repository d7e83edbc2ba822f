"""One cluster and one emulator alone, for all tests of this folder."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients.recorder import VERIFY_TOKEN, Recorder
from tests.clients.sides import SECRET, WABA, Side, missing_packages
from tests.harness import free_port, start_cluster
from tests.harness.sanic_command import ROOT
from tests.harness.waiting import until


@pytest.fixture(scope="session")
def installed() -> None:
    """The packages under test. A machine without them must say so: a skipped proof is none."""
    faults = missing_packages()
    if faults:
        pytest.fail("The clients are not installed (make test does it):\n  " + "\n  ".join(faults), pytrace=False)


@pytest.fixture(scope="session")
def sandbox_side(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    """`python -m services.sandbox`, which posts its notifications to a recorder."""
    recorder, port = Recorder(), free_port()
    folder = tmp_path_factory.mktemp("sandbox")
    flags = {"--port": str(port), "--webhook-url": recorder.url, "--app-secret": SECRET, "--data-dir": str(folder)}
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.sandbox", *(word for pair in flags.items() for word in pair)],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    control = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)

    def is_up() -> bool:
        try:
            return control.get("/_sandbox").status_code == 200
        except httpx.HTTPError:
            return False

    try:
        until(is_up, "the sandbox answers")
        side = Side("sandbox", f"http://127.0.0.1:{port}", "sandbox-token", control, recorder)
        side.make_template()
        yield side
    finally:
        process.terminate()
        process.wait(10)
        recorder.stop()
        control.close()


@pytest.fixture(scope="session")
def panal_side(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    """The real command; its `format: meta` deliveries go to a recorder, asked for by Meta's own call."""
    recorder = Recorder()
    folder: Path = tmp_path_factory.mktemp("panal")
    with start_cluster(folder, workers=2, environment={"PANAL_APP_SECRET": SECRET}) as cluster:
        side = Side("panal", f"http://127.0.0.1:{cluster.port}", cluster.key, cluster.sandbox, recorder, cluster.client)
        side.make_template()
        side.graph(
            "POST",
            f"{WABA}/subscribed_apps",
            json={"override_callback_uri": recorder.url, "verify_token": VERIFY_TOKEN},
        )
        yield side
    recorder.stop()
