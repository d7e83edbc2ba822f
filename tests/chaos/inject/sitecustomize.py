"""Faults for the processes of a cluster under test. Python itself loads this from PYTHONPATH: the product has no hook.

Process: every process of that cluster. Signals: LEAK takes 16 MB and keeps them, BLOCK holds the event loop for a
minute. While the file CHAOS_CRASH_FILE exists, every new process ends at once.
"""

import os
import signal
import time
from pathlib import Path
from types import FrameType

LEAK, BLOCK = signal.SIGRTMIN + 1, signal.SIGRTMIN + 2
CRASH_EXIT_CODE = 3
HOARD: list[bytes] = []


def leak(_signum: int, _frame: FrameType | None) -> None:
    HOARD.append(b"x" * (16 << 20))


def block(_signum: int, _frame: FrameType | None) -> None:
    time.sleep(60)


def crash_if_told() -> None:
    if Path(os.environ.get("CHAOS_CRASH_FILE", "/nowhere")).exists():
        os._exit(CRASH_EXIT_CODE)


signal.signal(LEAK, leak)
signal.signal(BLOCK, block)
os.register_at_fork(after_in_child=crash_if_told)
