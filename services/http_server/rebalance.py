"""Keep every worker busy: one with far more client connections than its siblings lets some of them come in again.

Process: worker. Pure arithmetic; `Door` acts on it.

All workers accept from one socket, and whoever is awake takes what is there: a burst of keep-alive clients may end with
three workers full and one without a single connection, for as long as the clients stay. An answer with
`Connection: close` makes a client connect again, with nothing lost; most likely it meets the worker that has time.
"""

from collections.abc import Sequence

TOLERANCE = 1.25
SPARE = 2


def too_many(own: int, of_all: Sequence[int]) -> int:
    """How many connections this worker should let go now. `of_all`: those of every ready worker, its own included.

    Somebody has far too many, or somebody has far too few: of 24 with three workers, 12, 12 and 0 are one of each.
    """
    if len(of_all) < 2:
        return 0
    mean = sum(of_all) / len(of_all)
    is_uneven = own > mean * TOLERANCE + SPARE or min(of_all) < mean / TOLERANCE - SPARE
    return max(0, int(own - mean)) if is_uneven else 0
