"""How a call to the Graph API can end badly. The kinds differ in what may be done next.

Process: whatsapp, worker (media and templates).
"""

from typing import Any

from config.errors import PanalError, PlatformRefused, RequestRefused, Unavailable
from services.graph.codes import CodeRule, ErrorClass


class GraphRefused(PlatformRefused):
    """It answered with an error: the call had no effect. `rule` says what to do, `retry_after_s` is its own word."""

    def __init__(
        self,
        rule: CodeRule,
        *,
        http_status: int,
        title: str,
        details: str | None = None,
        subcode: int | None = None,
        fbtrace_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.rule = rule
        self.graph_code = rule.code
        self.subcode = subcode
        self.http_status = http_status
        self.title = title
        self.details = details
        self.fbtrace_id = fbtrace_id
        ids: dict[str, Any] = {"graph_code": rule.code, "subcode": subcode, "fbtrace_id": fbtrace_id}
        super().__init__(
            f"WhatsApp refused it: {title}",
            may_retry=rule.may_retry,
            detail=f"HTTP {http_status}, code {rule.code}/{subcode}, fbtrace_id {fbtrace_id}: {details or '-'}",
            retry_after_s=retry_after_s,
            extra=ids,
        )

    @property
    def klass(self) -> ErrorClass:
        return self.rule.klass


class GraphUnreachable(Unavailable):
    """The request provably did not arrive whole: nothing has happened, and the same request may go again."""

    code = "whatsapp_unreachable"
    default_text = "WhatsApp could not be reached."


class GraphUnsendable(RequestRefused):
    """The request cannot be written: a value has no JSON, a header has a control character. Nothing left, ever."""

    code = "request_unsendable"
    default_text = "The request cannot be written in a form that WhatsApp can read."


class GraphUnknown(PanalError):
    """The request left, and no answer that can be read came back: it may have had its effect. Never resend blindly."""

    code = "whatsapp_outcome_unknown"
    default_text = "WhatsApp did not confirm what became of the request."
