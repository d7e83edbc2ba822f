"""The id of a request in its log lines and error answers: the client's, or our own.

Process: worker.
"""

import re
import uuid
from typing import Final

REQUEST_ID_HEADER: Final = "x-request-id"
MAX_CHARS: Final = 128
_SAFE: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_CHARS}}}")


def request_id_of(given: str | None) -> uuid.UUID | str:
    """Return ``given`` if it has only letters, digits, `.`, `_` and `-`, at most 128; otherwise a new UUID.

    The id goes into logs that are read line by line, and into answers of several formats.
    """
    return given if given is not None and _SAFE.fullmatch(given) else uuid.uuid4()
