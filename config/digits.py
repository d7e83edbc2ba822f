"""Whole numbers from texts that others wrote: bounded before they are read.

Process: all of them.

``int`` reads digits of any script and raises past 4,300 of them; the database takes 64 bits.
"""

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def whole_number_in(text: str, *, most: int = INT64_MAX) -> int | None:
    """The number that these ASCII digits write, from 0 to ``most``; None for any other text."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(most)):
        return None
    value = int(digits)
    return value if value <= most else None
