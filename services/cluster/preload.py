"""What the zygote loads before it forks anything: the application, once.

Process: the zygote.
"""

import server
from services.cluster import zygote

__all__ = ["server"]

zygote.settle()
