"""What the zygote loads before it forks anything: the application, once.

Process: the zygote.
"""

import gc
import signal

import server
from services.cluster.guard import die_with_parent

__all__ = ["server"]

# Only main ends it: a signal to the whole group (systemd, Ctrl-C) must not take it away under draining workers.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)

# It goes with main, and its children with it. Where the kernel cannot do that, the fork server's own pipe does
# (`zygote.run_child`); a main that is gone already closes that pipe as well.
die_with_parent()

# What is alive now stays: the collector need not touch, and so not copy, the pages that all children share.
gc.collect()
gc.freeze()
