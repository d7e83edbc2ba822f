"""What the fork server does before it loads the application: nobody but main may end it.

Process: the fork server.
"""

import signal

from services.supervisor.child_process import die_with_parent

# A signal to the whole group (systemd, Ctrl-C) must not take it away under draining workers.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)

# It goes with main, and its children with it. Where the kernel cannot do that, the fork server's own pipe does
# (`fork server.run_child`); a main that is gone already closes that pipe as well.
die_with_parent()
