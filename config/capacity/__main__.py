"""`python -m config.capacity [--workers=N | --fast] [--cpus=N] [--memory-mb=N]`: the plan as a table, nothing started.

Process: none of the cluster's; a command. Exit code 0 when the plan fits, 2 when it, or a setting, is refused.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from config.capacity.arithmetic import plan
from config.capacity.inputs import capacity_inputs
from config.capacity.machine import CpuReading, measure_cpus, measure_memory_mb
from config.capacity.records import PlanRefused
from config.capacity.table import render_plan
from config.locales import locale_of, text
from config.settings import SettingsRefused, load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
    except SettingsRefused as refused:
        sys.stderr.write(f"{text(locale_of(os.environ), 'startup.refused')}\n{refused}\n")
        return 2
    cpus = measure_cpus() if options.cpus is None else CpuReading(options.cpus, "given", options.cpus)
    inputs = capacity_inputs(
        settings,
        cpus,
        memory_mb=measure_memory_mb() if options.memory_mb is None else options.memory_mb,
        workers_asked=options.workers,
        environ=os.environ,
    )
    try:
        sys.stdout.write(render_plan(plan(inputs), settings.locale) + "\n")
    except PlanRefused as refused:
        sys.stderr.write(f"{text(settings.locale, 'startup.refused')}\n{refused.text(settings.locale)}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m config.capacity", description="Print the capacity plan.")
    how_many = parser.add_mutually_exclusive_group()
    how_many.add_argument("--workers", type=int, help="exactly so many workers; refused when they do not fit")
    how_many.add_argument("--fast", action="store_true", help="as many as fit (the default)")
    parser.add_argument("--cpus", type=int, help="what if the host had so many CPUs")
    parser.add_argument("--memory-mb", type=int, help="what if the host had so much memory")
    return parser


if __name__ == "__main__":
    sys.exit(main())
