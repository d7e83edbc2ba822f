"""The results of a run as Markdown: one table of ratios, one of Panal's other scenarios, and where it was measured.

Process: a command.
"""

import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.drive import Seen
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


def peers_table(results: Sequence[Result], rss_mb: dict[str, float], cold_start_s: dict[str, float]) -> str:
    """Every server in one line: saturation and CPU time of each scenario, and Panal's as a multiple of the best peer's.

    CPU is that of the server and its database for one request, median of the rounds.
    """
    found = {(result.server, result.scenario): result.rounds for result in results if result.rounds}
    scenarios = list(dict.fromkeys(scenario for _, scenario in found))
    servers = list(dict.fromkeys(server for server, _ in found))
    heads = [f"{scenario}/s | to best peer | CPU µs | to best peer" for scenario in scenarios]
    lines = [
        "| server | " + " | ".join(heads) + " | worker RSS | cold start |",
        "|---" * (3 + 4 * len(scenarios)) + "|",
    ]
    for server in servers:
        cells = [_cell(found, server, scenario) for scenario in scenarios]
        start = f"{cold_start_s[server]:.1f} s" if server in cold_start_s else ""
        lines.append(f"| {server} | " + " | ".join(cells) + f" | {rss_mb.get(server, 0):.0f} MB | {start} |")
    return "\n".join(lines)


def _cell(found: dict[tuple[str, str], list[Seen]], server: str, scenario: str) -> str:
    own = found.get((server, scenario))
    if own is None:
        return "– | – | – | –"
    peers = [rounds for (name, kind), rounds in found.items() if kind == scenario and name not in ALL_OURS]
    rates = [[one.achieved_per_s for one in rounds] for rounds in peers]
    # Round by round: what the machine did meanwhile hit all of them.
    ratios = [mine.achieved_per_s / max(theirs) for mine, *theirs in zip(own, *rates, strict=True) if theirs]
    ratio = f"{statistics.median(ratios):.2f} ×" if ratios else "–"
    cost = statistics.median(one.cpu_us for one in own)
    least = min((statistics.median(one.cpu_us for one in rounds) for rounds in peers), default=0.0)
    cost_ratio = f"{cost / least:.2f} ×" if least else "–"
    rate = statistics.median(one.achieved_per_s for one in own)
    return f"{rate:,.0f} | {ratio} | {cost:,.0f} | {cost_ratio}"


def others_table(others: Mapping[str, Any]) -> str:
    """What Panal's peers do not have, each beside the accepted messages of the same server in the same run."""
    accept = next((seen["achieved_per_s"] for name, seen in others.items() if name.startswith("accept,")), 0.0)
    lines = ["| scenario | seen/s | to accept | p50 ms | p99 ms | failed |", "|---" * 6 + "|"]
    for name, seen in others.items():
        if not isinstance(seen, dict):
            continue
        if "achieved_per_s" in seen:
            rate = seen["achieved_per_s"]
            cells = [f"{seen['p50_ms']:.1f}", f"{seen['p99_ms']:.1f}", str(sum(seen["failures"].values()))]
        elif "per_s" in seen:
            rate, cells = seen["per_s"], ["–", "–", "–"]
        else:
            continue
        is_saturated = rate > seen.get("rate_per_s", 0.0)
        ratio = f"{rate / accept:.2f} ×" if accept and is_saturated else "–"
        lines.append(f"| {name} | {rate:,.0f} | {ratio} | " + " | ".join(cells) + " |")
    return "\n".join(lines) if len(lines) > 2 else ""


def growth_table(costs: Mapping[str, Mapping[str, float]]) -> str:
    """p50 of each call (ms) against the number of stored messages."""
    counts = list(costs)
    lines = ["| call | " + " | ".join(f"{int(count):,}" for count in counts) + " | grows |"]
    lines.append("|---" * (2 + len(counts)) + "|")
    for name, first in costs[counts[0]].items():
        cells = " | ".join(f"{costs[count][name]:.2f}" for count in counts)
        lines.append(f"| `{name}` | {cells} | {costs[counts[-1]][name] / first:.2f} × |")
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
