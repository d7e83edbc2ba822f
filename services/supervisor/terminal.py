"""Tell a closed terminal from a request to reload: both arrive as SIGHUP.

Process: main.
"""

import os


class Terminal:
    """Remembers whether this process started with a controlling terminal."""

    def __init__(self) -> None:
        self._had_one = _has_one()

    def is_lost(self) -> bool:
        """Did the terminal we started with close? Then SIGHUP means stop."""
        return self._had_one and not _has_one()


def _has_one() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
