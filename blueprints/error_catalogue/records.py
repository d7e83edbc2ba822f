"""One error code: what it means and what to do.

Process: worker.
"""

from dataclasses import dataclass
from typing import Literal

from blueprints.errors import status_of
from config.errors import PanalError

Where = Literal["answer", "message", "log"]
"""Where a code can be met: in the answer to a request, in a message and its events, or in the log alone."""


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One code. ``family`` decides status and repetition; a number is the status of an error of the HTTP server."""

    code: str
    family: type[PanalError] | int
    meaning: str
    next_step: str
    where: Where = "answer"
    retry: bool | None = None

    @property
    def status(self) -> int:
        """The HTTP status that it is answered with."""
        return self.family if isinstance(self.family, int) else status_of(self.family(code=self.code))

    @property
    def may_retry(self) -> bool:
        """May the same request work later?"""
        if self.retry is not None:
            return self.retry
        return self.status in (408, 503) if isinstance(self.family, int) else self.family.may_retry
