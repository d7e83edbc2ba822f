"""``python -m benchmarks.profile``: where the time of a busy worker and of the owner goes, sampled by py-spy.

Process: a command. py-spy has to be allowed to look into other processes: root, or ``kernel.yama.ptrace_scope`` 0.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks import scenarios, servers
from benchmarks.flames import flame_graph, read_stacks, shares
from benchmarks.servers import Server

RATE_PER_S = 500
BELOW = {"worker": "_run_server_forever", "whatsapp": "run_whatsapp"}
"""What is above this function is the way a process is started, the same in every sample."""


def busiest(server: Server, role: str) -> int:
    """Of the processes with this role the one that has used most CPU time."""
    return max(server.pids(role), key=lambda pid: sum(psutil.Process(pid).cpu_times()[:2]))


def record(pid: int, path: Path, *, seconds: float) -> "subprocess.Popen[bytes]":
    """Begin to sample a process: only what runs, by function."""
    command = [str(Path(sys.executable).with_name("py-spy")), "record", "--pid", str(pid), "--format", "raw"]
    command += ["--duration", str(int(seconds)), "--rate", str(RATE_PER_S), "--gil", "--output", str(path)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(kind: str, *, seconds: float, workers: int, is_sending: bool, out: Path) -> str:
    """Load one server with requests of a kind; pictures into ``out``, the table of functions as text."""
    out.mkdir(parents=True, exist_ok=True)
    told = []
    with tempfile.TemporaryDirectory(prefix="panal-profile-") as name:
        folder = Path(name)
        with servers.panal(folder / "panal", workers=workers) as server:
            scenarios.open_windows(server)
            scenarios.set_paused(server, not is_sending)
            ids = scenarios.saturate(server, "accept", scenarios.LoadShape(seconds=2, warm_s=1)).ids
            samplers = {role: record(busiest(server, role), folder / role, seconds=seconds) for role in BELOW}
            seen = scenarios.saturate(server, kind, scenarios.LoadShape(seconds=seconds, warm_s=1), ids=ids)
            for sampler in samplers.values():
                sampler.wait(60)
        for role, below in BELOW.items():
            root = read_stacks((folder / role).read_text(encoding="utf-8").splitlines(), below=below)
            title = f"{role}: {kind} at saturation, {root.count:,} samples that held the interpreter"
            (out / f"{kind}-{role}-flames.svg").write_text(flame_graph(root, title=title), encoding="utf-8")
            told += [title, table(shares(root)), ""]
    return f"{seen.achieved_per_s:,.0f}/s while it was sampled\n\n" + "\n".join(told)


def table(found: dict[str, tuple[float, float]], *, most: int = 20) -> str:
    """The functions with the largest shares, as Markdown."""
    lines = ["| function | by itself | with what it calls |", "|---|---|---|"]
    for name, (own, whole) in sorted(found.items(), key=lambda item: -item[1][0])[:most]:
        lines.append(f"| `{name}` | {own:.1%} | {whole:.1%} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Sample what was asked for, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__.partition("\n")[0])
    parser.add_argument("--kind", default="accept", choices=["accept", "read", "webhook", "mixed"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sending", action="store_true", help="and it sends what it accepts meanwhile")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    asked = parser.parse_args(arguments)
    print(run(asked.kind, seconds=asked.seconds, workers=asked.workers, is_sending=asked.sending, out=asked.out))


if __name__ == "__main__":
    main()
