"""`python -m tools.health`: does the installation in this container answer? For Docker's HEALTHCHECK.

Process: none of the cluster's; a command. Exit code 0 yes, 1 no. `PORT` says where (8000).
"""

import os
import sys
import urllib.request

TIMEOUT_S = 4.0


def main() -> int:
    url = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}/livez"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return 0 if answer.status == 200 else 1
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
