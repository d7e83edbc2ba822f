"""How much longer things may take here, because others use this machine as well."""

import os

QUIET = 1.2  # runnable processes a CPU, up to which a bound means what it says


def slack() -> float:
    """1 on a quiet machine; on a busy one, how many want each of its CPUs."""
    wanted = os.getloadavg()[0] / (os.cpu_count() or 1)
    return max(1.0, wanted / QUIET)
