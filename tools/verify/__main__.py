"""`python -m tools.verify --url=… --key=…`: one table, or one every so often with `--watch`.

Process: none of the cluster's; a command. Exit code 0 all is well, 1 something is not, 2 it made no sense to ask.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Sequence

from tools.verify.checks import checks_of
from tools.verify.look import look
from tools.verify.options import Options, read_options
from tools.verify.table import is_all_well, render_table


def main(arguments: Sequence[str] | None = None) -> int:
    """Check once, or until Ctrl-C; the worst round decides the exit code."""
    options = read_options(arguments, os.environ)
    code = 0
    with contextlib.suppress(KeyboardInterrupt):
        number = 0
        while True:
            began_at = time.monotonic()
            number += 1
            code = max(code, _round(options))
            if not options.every_s or number == options.rounds:
                break
            time.sleep(max(0.0, options.every_s - (time.monotonic() - began_at)))
    return code


def _round(options: Options) -> int:
    checks = checks_of(asyncio.run(look(options)))
    sys.stdout.write(render_table(checks, options) + "\n\n")
    sys.stdout.flush()
    return 0 if is_all_well(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
