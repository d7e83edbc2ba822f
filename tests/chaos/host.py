"""One installation for all cases of a module: it is healthy again before each, and started again if a case ended it."""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.harness import Cluster, free_port
from tests.harness.cluster import launch
from tests.harness.load import Report
from tests.harness.slack import slack
from tests.harness.waiting import until

Row = dict[str, Any]


@dataclass
class Host:
    """Same folder, ports and settings in every life."""

    folder: Path
    workers: int
    environment: dict[str, str]
    prefix: list[str] = field(default_factory=list)
    output: int | None = None
    _cluster: Cluster | None = None

    def __post_init__(self) -> None:
        ports = ("TEST_PORT", "PANAL_SANDBOX_PORT", "PANAL_EMBEDDED_DB_PORT")
        self.environment = {**{name: str(free_port()) for name in ports}, **self.environment}

    def cluster(self) -> Cluster:
        """The running cluster, once all of it is well."""
        if self._cluster is None or self._cluster.process.poll() is not None:
            self.end()
            self._cluster = launch(
                self.folder,
                workers=self.workers,
                environment=self.environment,
                prefix=self.prefix,
                output=self.output,
            )
            self._cluster.wait_ready(within_s=60 * slack())
        wait_until_well(self._cluster, self.workers)
        return self._cluster

    def end(self) -> None:
        if self._cluster is not None:
            self._cluster.destroy()
            self._cluster = None

    def show_log(self) -> None:
        """For a failed case."""
        if self._cluster is not None:
            print(self._cluster.log[-6000:])  # noqa: T201 - pytest shows it beside the failure


@contextlib.contextmanager
def host_in(
    folder: Path,
    *,
    workers: int = 2,
    environment: dict[str, str] | None = None,
    prefix: list[str] | None = None,
    output: int | None = None,
) -> Iterator[Host]:
    """A host for a module."""
    host = Host(folder, workers, environment or {}, prefix or [], output)
    try:
        yield host
    finally:
        host.end()


def rows(cluster: Cluster) -> list[Row]:
    """Every process, as any worker tells it; none while nobody answers."""
    try:
        answer = cluster.client.get("/v1/cluster", timeout=3)
    except httpx.HTTPError:
        return []
    found: list[Row] = answer.json()["processes"] if answer.status_code == 200 else []
    return found


def replaced(cluster: Cluster, reason: str) -> int:
    """How many processes main has replaced so far for this reason."""
    return int(cluster.client.get("/v1/cluster").json()["main"]["restarts_by_reason"].get(reason, 0))


def row(cluster: Cluster, name: str) -> Row:
    return next((row for row in rows(cluster) if row["name"] == name), {})


def is_well(cluster: Cluster, workers: int) -> bool:
    """So many workers are ready, and the owner owns the number."""
    found = rows(cluster)
    ready = [row for row in found if row["role"] == "worker" and row["state"] == "ready"]
    owners = [row for row in found if row["role"] == "whatsapp" and row["whatsapp"].get("state") == "owner"]
    return len(ready) == workers and len(owners) == 1 and len(found) == workers + len(found) - len(ready)


def in_doubt(cluster: Cluster) -> int | None:
    """Messages of which the owner does not know whether they left; None while nobody owns the number."""
    found: int | None = row(cluster, "Sanic-WhatsApp-0").get("whatsapp", {}).get("in_doubt")
    return found


def wait_until_well(cluster: Cluster, workers: int) -> None:
    until(
        lambda: is_well(cluster, workers),
        f"{workers} workers and the owner are well",
        within_s=40 * slack(),
        context=lambda: f"{rows(cluster)}\n{cluster.log[-3000:]}",
    )


def wait_until_recovered(cluster: Cluster, *, calm_s: float = 1.0, within_s: float = 30.0) -> None:
    """Until the installation has been ready for so long without a break: whatever comes late has come by then."""
    calm_since = time.monotonic()

    def is_calm() -> bool:
        nonlocal calm_since
        try:
            is_ready = cluster.client.get("/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            is_ready = False
        if not is_ready:
            calm_since = time.monotonic()
        return time.monotonic() - calm_since >= calm_s

    until(is_calm, f"ready for {calm_s} s", within_s=within_s, context=lambda: cluster.log[-3000:])


def another(cluster: Cluster, name: str, old_pid: int) -> float:
    """Wait until another process carries this name and is ready; the seconds it took from now."""
    began = time.monotonic()

    def is_there() -> bool:
        found = row(cluster, name)
        return bool(found) and found["pid"] not in (0, old_pid) and found["state"] not in ("starting", "dead")

    until(
        is_there, f"another {name} is ready", within_s=30 * slack(), every_s=0.02, context=lambda: cluster.log[-2000:]
    )
    return time.monotonic() - began


def family(cluster: Cluster) -> list[psutil.Process]:
    """Everything below main."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(cluster.process.pid).children(recursive=True)
    return []


def fork_server(cluster: Cluster) -> psutil.Process:
    """The process from which all others are forked."""
    return next(child for child in psutil.Process(cluster.process.pid).children() if child.children())


def gone_s(processes: list[psutil.Process], within_s: float) -> float:
    """Wait until all of them are gone; the seconds it took."""
    began = time.monotonic()
    left = list(processes)
    while left := [process for process in left if is_there(process)]:
        assert time.monotonic() - began < within_s, f"still there after {within_s:.1f} s: {left}"
        time.sleep(0.01)
    return time.monotonic() - began


def is_there(process: psutil.Process) -> bool:
    """It runs: a zombie that waits for somebody to notice does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def sums(cluster: Cluster, report: Report) -> str:
    """Wait until every accepted message is at WhatsApp; each of them once. The sums in words, for the table."""
    wanted = set(report.accepted)
    submitted = until(
        lambda: all_of(submissions(cluster), wanted),
        "every accepted message is at WhatsApp",
        within_s=60 * slack(),
        every_s=0.5,
        context=lambda: f"missing: {sorted(wanted - set(submissions(cluster)))[:5]}\n{cluster.log[-3000:]}",
    )
    twice = {message_id: count for message_id, count in submitted.items() if count > 1}
    assert not twice
    return f"{len(wanted)} accepted, 0 lost, 0 twice"


def all_of(submitted: Counter[str], wanted: set[str]) -> Counter[str] | None:
    return submitted if wanted <= set(submitted) else None


def submissions(cluster: Cluster) -> Counter[str]:
    """How often WhatsApp was given each message, by the log that the sandbox writes to disk before it answers."""
    found: Counter[str] = Counter()
    after = 0
    try:
        while log := cluster.sandbox.get("/_sandbox/log", params={"after": after}).json():
            found.update(
                str(entry["biz_opaque_callback_data"]).removeprefix("panal:")
                for entry in log
                if entry["biz_opaque_callback_data"]
            )
            after = log[-1]["n"]
    except httpx.HTTPError:
        return Counter()
    return found


def load_of(report: Report) -> str:
    """The load in words."""
    if not report.shots:
        return "none"
    took_s = max(shot.at for shot in report.shots) - min(shot.at for shot in report.shots)
    return f"{len(report.shots):,} requests, {len(report.shots) / max(took_s, 0.001):.0f}/s"


def failed_of(report: Report) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(report.reasons.items()))
    return f"{len(report.failures)} failed" + (f" ({reasons})" if reasons else "")


def kill(process: psutil.Process, signum: int) -> float:
    """Send it; the moment it was sent (time.monotonic)."""
    at = time.monotonic()
    os.kill(process.pid, signum)
    return at
