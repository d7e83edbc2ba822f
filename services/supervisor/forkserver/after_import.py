"""What the zygote does when the application is loaded, before it forks anything.

Process: the zygote.
"""

import gc

# What is alive now stays: the collector need not touch, and so not copy, the pages that all children share.
gc.collect()
gc.freeze()
