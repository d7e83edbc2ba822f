"""May whoever listens still listen? Asked of a stream or a long poll while it is open.

Process: worker.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

Recheck = Callable[[], Awaitable[datetime | None]]
"""Raises when the caller may not listen any more; else answers until when it may without being asked again."""

CHECK_CALLER_S: Final = 60.0
"""A caller is looked at so often, when its time is over, and with every change of keys or sessions."""

CHECK_LIMIT_S: Final = 3.0
CHECK_AGAIN_S: Final = 2.0
"""What a look may take, and when it is tried again after the database did not answer."""
