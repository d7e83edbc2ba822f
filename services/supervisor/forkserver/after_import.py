"""Fork server, last step of its preload list: after the application is imported, before the first fork.

Process: fork server. Importing this module does the work.
"""

import gc

# Objects alive now stay alive. Frozen, the collector does not touch their pages, so children share instead of copy.
gc.collect()
gc.freeze()
