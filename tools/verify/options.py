"""What to check, how hard, and in which language.

Process: none of the cluster's; a command.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config.locales import LOCALES, locale_of

KEY_VARIABLE = "PANAL_API_KEY"
MAX_RECIPIENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`rate_per_min` requests a minute for `duration_s` seconds; `send_to` is empty when nothing is sent.

    `ops_limit`: operations/s that the database allows, 0 when it has no such limit. `every_s`: pause between the
    starts of two rounds, 0 for one round; `rounds` ends the watch, 0 = never.
    """

    url: str
    key: str = field(repr=False)
    rate_per_min: int = 1600
    duration_s: float = 60.0
    send_to: tuple[str, ...] = ()
    send_share: float = 0.1
    ops_limit: float = 0.0
    queue_age_s: float = 30.0
    sent_within_s: float = 30.0
    every_s: float = 0.0
    rounds: int = 0
    timeout_s: float = 10.0
    locale: str = "es"

    @property
    def request_count(self) -> int:
        """How many requests one round makes."""
        return max(1, round(self.rate_per_min * self.duration_s / 60))


def read_options(arguments: Sequence[str] | None, environ: Mapping[str, str]) -> Options:
    """The command line. Ends the program with 2 and the reason when it makes no sense."""
    parser = _parser(environ)
    found = parser.parse_args(arguments)
    if not found.key:
        parser.error(f"--key, or the variable {KEY_VARIABLE}, is needed")
    return Options(
        url=found.url.rstrip("/"),
        key=found.key,
        rate_per_min=found.rate,
        duration_s=found.duration,
        send_to=found.send,
        send_share=found.send_share,
        ops_limit=found.ops,
        queue_age_s=found.queue_age,
        every_s=found.watch,
        rounds=found.rounds if found.watch else 1,
        timeout_s=found.timeout,
        locale=found.locale,
    )


def seconds(word: str) -> float:
    """`90`, `90s`, `5m`, `1h` → seconds. ValueError otherwise."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(s|m|h)?", word.strip())
    if match is None:
        raise ValueError(word)
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600, None: 1}[match[2]]


def recipients(word: str) -> tuple[str, ...]:
    """`16505550000,16505550001`, or `16505550000+40` for forty numbers in a row. ValueError otherwise."""
    found: list[str] = []
    for part in filter(None, word.split(",")):
        match = re.fullmatch(r"([0-9]{7,15})(?:\+([0-9]{1,4}))?", part.strip())
        if match is None:
            raise ValueError(part)
        found += [str(int(match[1]) + position) for position in range(int(match[2] or 1))]
    if len(found) > MAX_RECIPIENTS:
        raise ValueError(word)
    return tuple(found)


def _url(word: str) -> str:
    if re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", word) is None:
        raise ValueError(word)
    return word


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.verify",
        description="Check a running installation from outside: workers, load, latency, memory, connections, WhatsApp.",
        epilog="Exit code: 0 everything is well, 1 something is not, 2 it could not be asked.",
    )
    add = parser.add_argument
    add("--url", type=_url, required=True, help="where it answers, for example https://panal.onrender.com")
    add("--key", default=environ.get(KEY_VARIABLE, ""), help=f"API key that may read (default: {KEY_VARIABLE})")
    add("--rate", type=int, default=1600, help="requests a minute (1600)")
    add("--duration", type=seconds, default=60.0, help="how long, for example 60s or 2m (60s)")
    add("--send", type=recipients, default=(), metavar="NUMBERS", help="also send `hello_world` to these; it may cost")
    add("--send-share", type=float, default=0.1, help="part of the requests that send, with --send (0.1)")
    add("--ops", type=float, default=0.0, help="operations/s that the database allows; Atlas M0: 100")
    add("--queue-age", type=seconds, default=30.0, help="oldest message that may wait (30s)")
    add("--timeout", type=seconds, default=10.0, help="longest wait for one answer (10s)")
    add("--watch", type=seconds, default=0.0, metavar="EVERY", help="repeat, for example every 5m")
    add("--rounds", type=int, default=0, help="with --watch: so many rounds, 0 = until Ctrl-C")
    add("--locale", choices=LOCALES, default=locale_of(environ), help="language of the table")
    return parser
