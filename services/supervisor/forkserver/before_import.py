"""Fork server, first step of its preload list, before the application is imported: only main may end it.

Process: fork server. Importing this module does the work.
"""

import signal

from services.supervisor.child_process import die_with_parent

# A signal to the whole group (systemd, Ctrl-C) must not end it while workers drain.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)

# It ends with main, and its children end with it. Where the kernel cannot do that, the pipe to main does: it closes
# with main, even if main is gone already (see `_close_fork_server_pipe` in `processes`).
die_with_parent()
