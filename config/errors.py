"""Three families of failure, each with the same four facts. No HTTP number lives here: `blueprints/errors.py` has them.

Process: all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: where (`messages[3].text.body`) and why, in words a client may read."""

    path: str
    reason: str


class PanalError(Exception):
    """Something failed. A stable `code`, `may_retry`, `text` for the caller, `detail` for the operator alone.

    `faults` names every wrong part of a request, not the first one. `retry_after_s` is set where the caller can know
    when another try makes sense. `extra` is for the log (ids, upstream codes). Of it a caller sees `graph_code`, Meta's
    own error number, which problem documents show as a member; nothing secret belongs there.
    A subclass fixes `code` and `may_retry`; an instance may say otherwise where a table decides (Graph's codes).
    """

    code: str = "internal"
    may_retry: bool = False
    default_text: ClassVar[str] = (
        "Something went wrong on our side. The request id helps the operator to find out what."
    )

    def __init__(
        self,
        text: str | None = None,
        *,
        code: str | None = None,
        may_retry: bool | None = None,
        detail: str | None = None,
        faults: Sequence[Fault] = (),
        retry_after_s: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.text = text if text is not None else self.default_text
        if code is not None:
            self.code = code
        if may_retry is not None:
            self.may_retry = may_retry
        self.detail = detail
        self.faults = tuple(faults)
        self.retry_after_s = retry_after_s
        self.extra = dict(extra or {})
        super().__init__(self.text)

    def __str__(self) -> str:
        """For logs and tracebacks, so with the operator's detail. Show `text` to callers, never this."""
        return f"{self.code}: {self.text}" + (f" ({self.detail})" if self.detail else "")

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a pipe between processes: exceptions with keyword-only arguments do not pickle by themselves."""
        return (_rebuild, (type(self), self.args, dict(self.__dict__)))


class RequestRefused(PanalError):
    """The caller can mend it: invalid, unknown, forbidden, in conflict, too large, too many."""

    code = "invalid_request"
    default_text = "The request is not valid."


class PlatformRefused(PanalError):
    """WhatsApp said no. The table in `services/graph/codes.py` gives `code` and `may_retry`."""

    code = "platform_refused"
    default_text = "WhatsApp refused it."


class Unavailable(PanalError):
    """The database, WhatsApp or a subscriber did not answer in time, or we are full. The same call may work later."""

    code = "unavailable"
    may_retry = True
    default_text = "A part of the service did not answer in time. Try again."


def _rebuild(cls: type[PanalError], args: tuple[Any, ...], state: dict[str, Any]) -> PanalError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error
