"""Spread keep-alive clients over the workers: one with far too many connections closes some of them.

Process: worker. Pure arithmetic; `ConnectionTracker` acts on it.

All workers accept from one socket, and the one that is awake takes what is there: a burst of keep-alive clients may
leave three workers full and one without any connection, for as long as the clients stay. An answer with
`Connection: close` makes a client connect again without loss, most likely to the worker that has time.
"""

from collections.abc import Sequence

TOLERANCE = 1.25
SPARE = 2


def too_many(own: int, of_all: Sequence[int]) -> int:
    """Return how many connections this worker should close now.

    `of_all`: the connections of every ready worker, its own included. Uneven means that one has far too many or far too
    few: with 24 over three workers, 12, 12 and 0.
    """
    if len(of_all) < 2:
        return 0
    mean = sum(of_all) / len(of_all)
    is_uneven = own > mean * TOLERANCE + SPARE or min(of_all) < mean / TOLERANCE - SPARE
    return max(0, int(own - mean)) if is_uneven else 0
