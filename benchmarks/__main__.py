"""``python -m benchmarks``: Panal and its peers in turn, in one run, on the same embedded database.

Process: a command. ``--full`` takes longer, and adds the number of workers, the memory and what stored messages cost.
"""

import argparse
import contextlib
import statistics
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from benchmarks import growth, live, scenarios, servers
from benchmarks.drive import Seen
from benchmarks.plots import line_plot
from benchmarks.report import OURS, SENDING, growth_table, latency_plot, machine, others_table, peers_table, rates_table
from benchmarks.scenarios import Result
from benchmarks.servers import Server

ACCEPT_RATES = (250, 500, 1_000, 2_000, 4_000)
REST_S = 3.0
"""Until the statuses of what was sent last are in."""
GROWTH_STEPS = (1_000, 20_000, 200_000)
PARTS = ("versus", "ours", "workers", "growth", "memory")
MEMORY_REQUESTS = 1_000_000


class Run:
    """One run and what it found."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.shape = scenarios.LoadShape(seconds=options.seconds, warm_s=min(2.0, options.seconds / 2))
        self.results: list[Result] = []
        self.rss_mb: dict[str, float] = {}
        self.cold_start_s: dict[str, float] = {}
        self.others: dict[str, Any] = {}

    def versus(self) -> None:
        """Accept and read by id, Panal and every peer in turn, round after round.

        All of them stand ready all the time, so that a machine that gets busier hits every one alike. Panal is measured
        twice: doing what a peer does (its number paused, so it stores and answers), and while it sends 80 messages a
        second, numbers their events and takes in their statuses. A peer has nothing to send and must not pay for it.
        """
        with contextlib.ExitStack() as stack:
            found = [self._peer(stack, name) for name in self.options.peers]
            ours = stack.enter_context(servers.panal(self.folder / "panal", workers=self.options.workers))
            scenarios.open_windows(ours)
            found.append(ours)
            for server in found:
                self.cold_start_s[server.name] = server.cold_start_s
                self.rss_mb[server.name] = server.worker_rss_mb()
            scenarios.set_paused(ours, True)
            self._rounds(found)
            self._rates(found)

    def _peer(self, stack: contextlib.ExitStack, name: str) -> Server:
        uri = stack.enter_context(servers.database(self.folder / name))
        start = servers.PEERS[name]
        server = stack.enter_context(start(self.folder / name, workers=self.options.workers, uri=uri))
        server.database = servers.listener(int(uri.split(":")[2].partition("/")[0]))
        return server

    def _rounds(self, found: Sequence[Server]) -> None:
        seen: dict[tuple[str, str], list[Seen]] = {}
        for turn in range(self.options.rounds):
            for server in found:
                for name in self._ways(server):
                    with self._sending(server, name):
                        self._say(f"round {turn + 1}: {name}")
                        accept = scenarios.saturate(server, "accept", self.shape)
                        read = scenarios.saturate(server, "read", self.shape, ids=accept.ids)
                        seen.setdefault((name, "accept"), []).append(accept)
                        seen.setdefault((name, "read"), []).append(read)
                    self.rss_mb[name] = max(self.rss_mb.get(name, 0.0), server.worker_rss_mb())
        for (name, kind), all_rounds in seen.items():
            middle = statistics.median_low([one.achieved_per_s for one in all_rounds])
            result = Result(name, kind, saturation=next(o for o in all_rounds if o.achieved_per_s == middle))
            result.rounds = all_rounds
            self.results.append(result)

    def _rates(self, found: Sequence[Server]) -> None:
        going = [(server, name) for server in found for name in self._ways(server)]
        for rate in self.options.rates:
            for server, name in list(going):
                self._say(f"{rate}/s: {name}")
                with self._sending(server, name):
                    seen = scenarios.at_rate(server, "accept", self.shape, rate)
                result = next(one for one in self.results if one.server == name and one.scenario == "accept")
                result.at_rates.append(seen)
                if seen.achieved_per_s < 0.9 * rate or seen.failed_share > 0.01:
                    going.remove((server, name))

    @staticmethod
    def _ways(server: Server) -> Sequence[str]:
        return (OURS, SENDING) if server.name == OURS else (server.name,)

    @contextlib.contextmanager
    def _sending(self, server: Server, name: str) -> Iterator[None]:
        if name != SENDING:
            yield
            return
        scenarios.set_paused(server, False)
        yield
        scenarios.set_paused(server, True)
        time.sleep(REST_S)

    def ours(self) -> None:
        """What Panal's peers do not have."""
        with servers.panal(self.folder / "ours", workers=self.options.workers) as server:
            scenarios.open_windows(server)
            time.sleep(3)
            self._say("to the phone, at rest")
            self._other("to the phone, at rest (5/s)", live.to_phone(server, seconds=8, rate_per_s=5))
            # In turn, as with the peers: what the machine does meanwhile hits both. The short version has one round:
            # the owner takes a minute to understand what the workers took in during one.
            seen: dict[str, list[Seen]] = {"accept": [], "webhook": []}
            for turn in range(self.options.rounds if self.options.full else 1):
                if turn:
                    scenarios.wait_until_ingested(server)
                for kind, rounds in seen.items():
                    self._say(f"round {turn + 1}: {OURS}, {kind}")
                    rounds.append(scenarios.saturate(server, kind, self.shape))
            ids = seen["accept"][0].ids
            for kind, rounds in seen.items():
                middle = statistics.median_low([one.achieved_per_s for one in rounds])
                self._other(f"{kind}, saturated", next(one for one in rounds if one.achieved_per_s == middle))
            self.others["webhook_to_accept_by_round"] = [
                round(webhook.achieved_per_s / accept.achieved_per_s, 2)
                for accept, webhook in zip(*seen.values(), strict=True)
            ]
            self._other(
                "mixed (1 accept to 4 reads), saturated", scenarios.saturate(server, "mixed", self.shape, ids=ids)
            )
        fast = {"PANAL_NUMBER_RATE_PER_S": "1000"}
        with servers.panal(self.folder / "ours-fast", workers=self.options.workers, settings=fast) as server:
            scenarios.open_windows(server)
            self._say("live streams and a campaign")
            self._other("SSE, 100 streams, 20 messages/s", live.fan_out(server, streams=100, seconds=5, rate_per_s=20))
            self.others["campaign"] = live.campaign(server, people=2_000, rate_per_s=1000)

    def workers(self) -> None:
        """Throughput of accept against the number of workers."""
        found = []
        for count in (1, 2, 4):
            with servers.panal(self.folder / f"workers-{count}", workers=count) as server:
                self.cold_start_s[f"{OURS}, {count} workers"] = server.cold_start_s
                scenarios.open_windows(server)
                time.sleep(2)
                self._say(f"{count} workers")
                found.append((count, scenarios.saturate(server, "accept", self.shape).achieved_per_s))
        self.others["accept_per_s_by_workers"] = found

    def growth(self) -> None:
        """What lists cost with 1,000, 20,000 and 200,000 stored messages."""
        costs: dict[int, dict[str, float]] = {}
        port = servers.free_port()
        chosen = {"PANAL_EMBEDDED_DB_PORT": str(port)}
        with servers.panal(self.folder / "growth", workers=self.options.workers, settings=chosen) as server:
            scenarios.open_windows(server)
            uri, have, ids = f"mongodb://127.0.0.1:{port}/?directConnection=true&retryWrites=false", 0, list[str]()
            for want in GROWTH_STEPS:
                self._say(f"{want:,} stored messages")
                ids += growth.fill(uri, have=have, want=want)
                have = want
                time.sleep(2)
                costs[want] = growth.cost_of_calls(server, ids)
        self.others["cost_by_stored_messages"] = {str(count): cost for count, cost in costs.items()}

    def memory(self) -> None:
        """Memory of a worker over many requests."""
        with servers.panal(self.folder / "memory", workers=self.options.workers) as server:
            scenarios.open_windows(server)
            ids = scenarios.saturate(server, "accept", scenarios.LoadShape(seconds=2, warm_s=0.5)).ids
            done, found = 0, [(0, server.worker_rss_mb())]
            while done < self.options.memory:
                seen = scenarios.saturate(server, "read", scenarios.LoadShape(seconds=20, warm_s=0), ids=ids)
                done += seen.count
                found.append((done, server.worker_rss_mb()))
                self._say(f"memory: {done:,} requests, {found[-1][1]:.0f} MB")
        self.others["worker_rss_mb_by_requests"] = found

    def _other(self, name: str, seen: Seen) -> None:
        self.others[name] = seen.as_dict()

    def _say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def write(run: Run, where: dict[str, Any]) -> str:
    """Results, plots and the report into the folder; the report as text."""
    out: Path = run.options.out
    out.mkdir(parents=True, exist_ok=True)
    found = {
        "machine": where,
        "workers": run.options.workers,
        "results": [result.as_dict() for result in run.results],
        "rss_mb": run.rss_mb,
        "cold_start_s": run.cold_start_s,
        "others": run.others,
    }
    (out / "results.json").write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    (out / "accept-latency.svg").write_text(latency_plot(run.results, "accept"), encoding="utf-8")
    if by_workers := run.others.get("accept_per_s_by_workers"):
        plot = line_plot({OURS: by_workers}, title="accept: throughput against workers", x="workers", y="accepted/s")
        (out / "accept-workers.svg").write_text(plot, encoding="utf-8")
    if costs := run.others.get("cost_by_stored_messages"):
        names = list(next(iter(costs.values())))
        lines = {name: [(float(count), cost[name]) for count, cost in costs.items()] for name in names}
        plot = line_plot(lines, title="p50 against stored messages", x="stored messages", y="p50, ms", is_log_x=True)
        (out / "stored-messages.svg").write_text(plot, encoding="utf-8")
    rates, others = rates_table(run.results, "accept"), others_table(run.others)
    costs = run.others.get("cost_by_stored_messages")
    parts = [
        peers_table(run.results, run.rss_mb, run.cold_start_s) if run.results else "",
        f"accept at a constant rate, p50 / p99 in ms:\n\n{rates}" if run.results else "",
        f"What the others do not have:\n\n{others}" if others else "",
        f"p50 in ms against stored messages:\n\n{growth_table(costs)}" if costs else "",
        *(f"{name}: {value}" for name, value in run.others.items() if isinstance(value, list)),
        f"cold start, s: { ({name: round(s, 2) for name, s in run.cold_start_s.items()}) }" if run.cold_start_s else "",
        f"{where}",
    ]
    report = "\n\n".join(part for part in parts if part) + "\n"
    (out / "report.md").write_text(report, encoding="utf-8")
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for, print the report, write everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2, help="of Panal and of every peer")
    parser.add_argument("--full", action="store_true", help="longer, and with workers, stored messages and memory")
    parser.add_argument("--peers", nargs="*", default=list(servers.PEERS), choices=list(servers.PEERS))
    parser.add_argument("--parts", nargs="*", default=None, choices=PARTS)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of each saturation; the median counts")
    parser.add_argument("--rates", nargs="*", type=int, default=ACCEPT_RATES, help="of the open loop, per s")
    parser.add_argument("--memory", type=int, default=MEMORY_REQUESTS, help="requests of the memory part")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    options = parser.parse_args(arguments)
    parts = options.parts or (PARTS if options.full else PARTS[:2])
    where = machine()
    with tempfile.TemporaryDirectory(prefix="panal-bench-") as name:
        run = Run(options, Path(name))
        for part in parts:
            try:
                getattr(run, part)()
            except Exception:
                traceback.print_exc()  # what was measured before is worth keeping
    print(write(run, where))


if __name__ == "__main__":
    main()
