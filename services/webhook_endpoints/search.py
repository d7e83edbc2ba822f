"""At which event number does a moment lie? Found by halving: a few look-ups by number, whatever the log's length.

Process: whatsapp.
"""

from datetime import datetime

from services.store import Database, read_events


async def seq_before(database: Database, number: str, moment: datetime, *, last: int) -> int:
    """The last event number before ``moment`` (0: all that is kept came after it). ``last``: the log's end."""
    low, high = 0, last
    while low < high:
        middle = (low + high + 1) // 2
        events, _ = await read_events(database, number, after=middle - 1, limit=1)
        if not events or events[0].seq > high:
            # Nothing is kept from here on up to the part that is known to be later.
            high = middle - 1
        elif events[0].at < moment:
            low = max(middle, events[0].seq)
        else:
            high = middle - 1
    return low
