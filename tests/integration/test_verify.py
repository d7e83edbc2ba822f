"""`python -m tools.verify` against the real command: all is well, and then one thing after another is not.

One cluster for all, in the order in which they stand: what was broken stays broken, each test looks at its own line.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.sanic_command import ROOT
from tests.harness.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timed]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # Two deaths trip a breaker, which then holds for the rest of the test.
    environment = {"PANAL_RESTART_BREAKER_DEATHS": "2", "PANAL_RESTART_BREAKER_COOL_S": "600"}
    with start_cluster(tmp_path_factory.mktemp("verify"), workers=2, environment=environment) as cluster:
        # The scoreboard has the owner's line a second later than the lease has its owner.
        until(lambda: owner_of(cluster) == "owner", "the owner says so", context=lambda: cluster.log[-3000:])
        yield cluster


def owner_of(cluster: Cluster) -> str:
    """What the WhatsApp process says of itself."""
    rows = cluster.client.get("/v1/cluster").json()["processes"]
    return next((row["whatsapp"]["state"] for row in rows if row["role"] == "whatsapp" and "whatsapp" in row), "")


def verify(url: str, *arguments: str, key: str = Cluster.key, locale: str = "en") -> tuple[int, str]:
    """Exit code and table."""
    command = [sys.executable, "-m", "tools.verify", f"--url={url}", f"--key={key}", f"--locale={locale}"]
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def url_of(cluster: Cluster) -> str:
    return f"http://127.0.0.1:{cluster.port}"


def quick(cluster: Cluster, *arguments: str) -> tuple[int, str]:
    return verify(url_of(cluster), "--rate=600", "--duration=3s", "--timeout=4s", *arguments)


def line(table: str, name: str) -> str:
    """The line of a check with its next step, if it has one."""
    lines = table.splitlines()
    position = next(number for number, text in enumerate(lines) if text[2:].startswith(name))
    following = lines[position + 1].strip()
    return f"{lines[position]} {following}" if following.startswith("→") else lines[position]


def break_for_good(cluster: Cluster, name: str) -> None:
    """Kill it, and every successor, until its breaker holds it."""

    def is_held() -> bool:
        if name in cluster.client.get("/v1/cluster").json()["main"]["open_breakers"]:
            return True
        process = cluster.processes().get(name)
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return False

    until(is_held, f"the breaker holds {name}", every_s=0.2, context=lambda: cluster.log[-3000:])


def test_a_healthy_cluster_passes_with_reads_and_sends(cluster: Cluster) -> None:
    code, table = quick(cluster, "--send=16505550100+8", "--send-share=0.2", "--ops=1000")
    assert code == 0, table
    assert "❌" not in table
    assert "2 of 2 ready" in line(table, "Workers")
    assert "30 of 30" in line(table, "Requests answered")
    assert "6 accepted" in line(table, "Messages sent")
    assert line(table, "Events").startswith("✅")


def test_it_speaks_spanish_and_repeats(cluster: Cluster) -> None:
    arguments = ["--rate=600", "--duration=1s", "--watch=2s", "--rounds=2"]
    code, tables = verify(url_of(cluster), *arguments, locale="es")
    assert code == 0, tables
    assert tables.count("✅ Todo bien") == 2


def test_a_wrong_key_is_told(cluster: Cluster) -> None:
    code, table = verify(url_of(cluster), "--duration=1s", key="not-the-key")
    assert code == 1
    assert line(table, "API key").startswith("❌")
    assert "cluster:read" in line(table, "API key")


def test_nobody_at_the_address_is_told() -> None:
    code, table = verify("http://127.0.0.1:9", "--duration=1s")
    assert code == 1
    assert line(table, "Answers").startswith("❌")


def test_a_worker_that_its_breaker_holds_is_named(cluster: Cluster) -> None:
    break_for_good(cluster, "Sanic-Server-1-0")
    code, table = quick(cluster)
    assert code == 1
    assert "❌ Workers" in line(table, "Workers")
    assert "1 of 2 ready" in line(table, "Workers")
    assert "Sanic-Server-1-0: broken" in line(table, "Workers")
    assert line(table, "Requests answered").startswith("✅"), "the other worker serves"


def test_without_the_whatsapp_process_nobody_owns(cluster: Cluster) -> None:
    break_for_good(cluster, "Sanic-WhatsApp-0")
    code, table = quick(cluster)
    assert code == 1
    assert line(table, "Owner of WhatsApp").startswith("❌")
    assert "Sanic-WhatsApp-0" in line(table, "Owner of WhatsApp")
    assert line(table, "/readyz").startswith("❌")


def test_without_the_database_the_load_fails_and_says_why(cluster: Cluster) -> None:
    break_for_good(cluster, "Sanic-Database-0")
    code, table = quick(cluster)
    assert code == 1
    assert line(table, "Requests answered").startswith("❌")
    assert "database_unavailable" in line(table, "Requests answered") or "timeout" in line(table, "Requests answered")
    assert "Sanic-Database-0" in line(table, "Other processes")
    assert line(table, "/readyz").startswith("❌")
    assert "1 of 2 ready" in line(table, "Workers"), "the table of processes needs no database"
