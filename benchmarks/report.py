"""The results of a run as Markdown: one table of ratios, one of Panal's other scenarios, and where it was measured.

Process: a command.
"""

import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.plots import line_plot
from benchmarks.scenarios import Result

ROOT = Path(__file__).resolve().parents[1]
OURS = "Panal"
SENDING = "Panal, sending meanwhile"
ALL_OURS = (OURS, SENDING)


def machine() -> dict[str, Any]:
    """Where and what was measured."""
    model = ""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "commit": commit,
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": model,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def peers_table(results: Sequence[Result], rss_mb: dict[str, float]) -> str:
    """Saturation of every server, and Panal's as a multiple of the best peer's."""
    scenarios = list(dict.fromkeys(result.scenario for result in results if result.saturation))
    servers = list(dict.fromkeys(result.server for result in results))
    rounds = {(r.server, r.scenario): [seen.achieved_per_s for seen in r.rounds] for r in results if r.rounds}
    heads = [f"{scenario}/s | to best peer" for scenario in scenarios]
    lines = ["| server | " + " | ".join(heads) + " | worker RSS |", "|---" * (2 + 2 * len(scenarios)) + "|"]
    for server in servers:
        cells = []
        for scenario in scenarios:
            own = rounds.get((server, scenario))
            others = [rounds[peer, scenario] for peer in servers if peer not in ALL_OURS and (peer, scenario) in rounds]
            if own is None:
                cells.append("– | –")
                continue
            # Round by round: what the machine did meanwhile hit all of them.
            ratios = [mine / max(theirs) for mine, *theirs in zip(own, *others, strict=True) if theirs]
            ratio = f"{statistics.median(ratios):.2f} ×" if ratios else "–"
            cells.append(f"{statistics.median(own):,.0f} | {ratio}")
        lines.append(f"| {server} | " + " | ".join(cells) + f" | {rss_mb.get(server, 0):.0f} MB |")
    return "\n".join(lines)


def cpu_table(results: Sequence[Result]) -> str:
    """CPU time of the server and its database for one request, median of the rounds; and Panal's against the least."""
    scenarios = list(dict.fromkeys(result.scenario for result in results if result.rounds))
    cost = {(r.server, r.scenario): statistics.median(s.cpu_us for s in r.rounds) for r in results if r.rounds}
    servers = list(dict.fromkeys(result.server for result in results))
    lines = [
        "| server | " + " | ".join(f"{scenario}, CPU µs | to best peer" for scenario in scenarios) + " |",
        "|---" * (1 + 2 * len(scenarios)) + "|",
    ]
    for server in servers:
        cells = []
        for scenario in scenarios:
            least = min((cost[peer, scenario] for peer in servers if peer not in ALL_OURS), default=0.0)
            ratio = f"{cost[server, scenario] / least:.2f} ×" if least else "–"
            cells.append(f"{cost[server, scenario]:,.0f} | {ratio}")
        lines.append(f"| {server} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rates_table(results: Sequence[Result], scenario: str) -> str:
    """p50 and p99 of every server at the same constant rates (open loop), milliseconds."""
    found = [result for result in results if result.scenario == scenario and result.at_rates]
    rates = sorted({seen.rate_per_s for result in found for seen in result.at_rates})
    lines = [
        "| server | " + " | ".join(f"{rate:g}/s" for rate in rates) + " |",
        "|---" * (1 + len(rates)) + "|",
    ]
    for result in found:
        by_rate = {seen.rate_per_s: seen for seen in result.at_rates}
        cells = []
        for rate in rates:
            seen = by_rate.get(rate)
            if seen is None:
                cells.append("–")
            elif seen.achieved_per_s < 0.95 * rate:
                cells.append(f"only {seen.achieved_per_s:,.0f}/s")
            else:
                cells.append(f"{seen.p50_ms:.1f} / {seen.p99_ms:.1f}")
        lines.append(f"| {result.server} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def latency_plot(results: Sequence[Result], scenario: str) -> str:
    """p99 against the rate, one line a server. A rate that was not reached ends the line."""
    lines = {
        result.server: [(seen.rate_per_s, max(0.1, seen.p99_ms)) for seen in result.at_rates]
        for result in results
        if result.scenario == scenario and result.at_rates
    }
    return line_plot(
        lines,
        title=f"{scenario}: p99 against the rate (open loop)",
        x="requests a second",
        y="p99, ms",
        is_log_x=True,
        is_log_y=True,
    )
