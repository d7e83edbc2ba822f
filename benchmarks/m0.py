"""Panal, and a peer, behind the model of a free Atlas cluster: ``python -m benchmarks.m0``.

Process: a command.
"""

import argparse
import contextlib
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from benchmarks import scenarios, servers
from benchmarks.drive import Seen
from benchmarks.report import machine

REQUESTS_A_MINUTE = (1_600, 21_000)
BUDGET = 40
WARM_S = 20.0
PHONES = 50
"""So few that warming up reaches every pair of worker and customer."""


@contextlib.contextmanager
def m0(folder: Path, uri: str) -> Iterator[tuple[str, int]]:
    """The proxy as a process of its own; its connection string and its control port."""
    port, control_port = servers.free_port(), servers.free_port()
    target = uri.removeprefix("mongodb://").partition("/")[0]
    command = [sys.executable, "-m", "benchmarks.atlas_m0", "--to", target]
    command += ["--port", str(port), "--control-port", str(control_port)]
    with servers.running(command, folder / "m0.log", {}):
        servers.until(lambda: _asks(control_port) is not None, "the proxy listens", within_s=60)
        yield f"mongodb://127.0.0.1:{port}/?directConnection=true&retryWrites=false", control_port


def told(control_port: int, *, is_reset: bool = False) -> dict[str, Any]:
    """What the proxy counted; with ``is_reset`` it counts from here."""
    found = _asks(control_port, b"reset\n" if is_reset else b"tally\n")
    assert found is not None
    return found


def _asks(port: int, line: bytes = b"tally\n") -> dict[str, Any] | None:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(line)
            found: dict[str, Any] = orjson.loads(connection.makefile("rb").readline())
            return found
    except OSError:
        return None


def settings(uri: str, sandbox_port: int, *, budget: float) -> dict[str, str]:
    """Panal as on a real host: a database elsewhere, WhatsApp elsewhere."""
    return {
        "PANAL_MONGODB_URI": uri,
        "PANAL_DB_SERVERS": "1",
        "PANAL_DB_OPS_PER_S": str(budget),
        "PANAL_WHATSAPP": "cloud",
        "PANAL_GRAPH_BASE_URL": f"http://127.0.0.1:{sandbox_port}",
        "PANAL_ACCESS_TOKEN": "sandbox-token",
        "PANAL_SANDBOX_PORT": str(sandbox_port),
        "PANAL_OVERLAP_INSTANCES": "0",
    }


def run_panal(folder: Path, *, workers: int, seconds: float, budget: float) -> list[dict[str, Any]]:
    """Both rates through the proxy."""
    rows = []
    with servers.database(folder / "panal-db") as direct, m0(folder, direct) as (uri, control):
        sandbox_port = servers.free_port()
        chosen = settings(uri, sandbox_port, budget=budget)
        with servers.panal(folder / "panal", workers=workers, settings=chosen) as server:
            with servers.sandbox(folder, port=sandbox_port, webhook_url=f"{server.url}/webhooks/whatsapp"):
                scenarios.open_windows(server, phones=PHONES)
                idle_s = 10.0
                time.sleep(5)
                told(control, is_reset=True)
                time.sleep(idle_s)
                idle = told(control)
                rows.append({"server": "Panal, idle", "ops_per_s": idle["commands"] / idle_s, "tally": idle})
                for per_minute in REQUESTS_A_MINUTE:
                    # First every worker meets every customer: a window that is known open is not read again.
                    warming = scenarios.LoadShape(seconds=WARM_S, warm_s=0, phones=PHONES)
                    scenarios.at_rate(server, "accept", warming, per_minute / 60)
                    rows.append(measured(server, control, seconds=seconds, per_minute=per_minute))
    return rows


def run_peer(folder: Path, *, workers: int, seconds: float) -> list[dict[str, Any]]:
    """The usual way: one insert a request, as many as it takes, and at the lower rate."""
    rows = []
    with servers.database(folder / "peer-db") as direct, m0(folder, direct) as (uri, control):
        with servers.sanic_peer(folder / "peer", workers=workers, uri=uri) as server:
            time.sleep(2)
            for per_minute in (REQUESTS_A_MINUTE[0], None):
                rows.append(measured(server, control, seconds=seconds, per_minute=per_minute))
    return rows


def measured(server: servers.Server, control: int, *, seconds: float, per_minute: int | None) -> dict[str, Any]:
    """One rate (None: as many as it takes), and what it cost."""
    shape = scenarios.LoadShape(seconds=seconds, warm_s=2, phones=PHONES)
    told(control, is_reset=True)
    began = time.monotonic()
    if per_minute:
        seen = scenarios.at_rate(server, "accept", shape, per_minute / 60)
    else:
        seen = scenarios.saturate(server, "accept", shape)
    return row(server.name, seen, told(control), took_s=time.monotonic() - began, per_minute=per_minute)


def row(name: str, seen: Seen, tally: dict[str, Any], *, took_s: float, per_minute: int | None) -> dict[str, Any]:
    """One line of the table."""
    return {
        "server": name,
        "asked_per_minute": per_minute,
        "accepted_per_minute": seen.achieved_per_s * 60,
        "p50_ms": seen.p50_ms,
        "p99_ms": seen.p99_ms,
        "failures": seen.failures,
        "ops_per_s": tally["commands"] / took_s,
        "documents_per_s": tally["documents"] / took_s,
        "throttled": tally["throttled"],
        "peak_connections": tally["peak_connections"],
        "tally": tally,
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown."""
    lines = [
        "| server | asked/min | accepted/min | p50 ms | p99 ms | ops/s | docs/s | throttled | connections |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in rows:
        if "p50_ms" not in one:
            lines.append(f"| {one['server']} | – | – | – | – | {one['ops_per_s']:.1f} | – | – | – |")
            continue
        asked = f"{one['asked_per_minute']:,}" if one["asked_per_minute"] else "all it takes"
        lines.append(
            f"| {one['server']} | {asked} | {one['accepted_per_minute']:,.0f} | {one['p50_ms']:.0f} | "
            f"{one['p99_ms']:.0f} | {one['ops_per_s']:.1f} | {one['documents_per_s']:.0f} | {one['throttled']} | "
            f"{one['peak_connections']} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both, print the table, write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.m0", description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each rate")
    parser.add_argument("--budget", type=float, default=BUDGET, help="PANAL_DB_OPS_PER_S")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--only", choices=("panal", "peer"))
    options = parser.parse_args(arguments)
    where = machine()
    with tempfile.TemporaryDirectory(prefix="panal-m0-") as name:
        rows = []
        if options.only != "peer":
            rows += run_panal(Path(name), workers=options.workers, seconds=options.seconds, budget=options.budget)
        if options.only != "panal":
            rows += run_peer(Path(name), workers=options.workers, seconds=min(20.0, options.seconds))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "m0.json").write_bytes(orjson.dumps({"machine": where, "rows": rows}, option=orjson.OPT_INDENT_2))
    print(table(rows))
    print(f"\nPANAL_DB_OPS_PER_S={options.budget:g}; {where}")


if __name__ == "__main__":
    main()
