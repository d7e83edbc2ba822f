"""What the fork server does when the application is loaded, before it forks anything.

Process: the fork server.
"""

import gc

# What is alive now stays: the collector need not touch, and so not copy, the pages that all children share.
gc.collect()
gc.freeze()
