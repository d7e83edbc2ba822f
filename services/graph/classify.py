"""Look an error up: by code and subcode, by code, by family, and by HTTP status when all else fails.

Process: worker (failed statuses), whatsapp, sandbox.
"""

from dataclasses import replace

from services.graph.code_table import BY_CODE, CLASS_DEFAULTS, MINUTE_S, RANGES
from services.graph.codes import CodeRule, ErrorClass, HoldScope

LINK_THROTTLED = ("http code 429", "http code 5")
"""131053 is final, unless the server of a media link only asked for patience: its details then hold one of these."""


def classify(
    code: int | None, subcode: int | None = None, http_status: int | None = None, *, details: str | None = None
) -> CodeRule:
    """The rule for an error of WhatsApp. Never fails: an unknown code is judged by its HTTP status.

    `details` (Meta's `error_data.details`) matters for 131053 alone: a link that answered 429 or 5xx may be fetched
    again.
    """
    if code is not None:
        rule = BY_CODE.get((code, subcode)) or BY_CODE.get((code, None)) or _of_family(code)
        if rule is not None:
            if code == 131053 and details is not None and any(sign in details for sign in LINK_THROTTLED):
                return replace(rule, klass=ErrorClass.RETRY, **{**CLASS_DEFAULTS[ErrorClass.RETRY], "hold_s": MINUTE_S})
            return rule
    return _by_http_status(code, subcode, http_status)


def _of_family(code: int) -> CodeRule | None:
    for codes, rule in RANGES:
        if code in codes:
            return replace(rule, code=code)
    return None


def _by_http_status(code: int | None, subcode: int | None, http_status: int | None) -> CodeRule:
    """What no table knows. Without a Graph code the answer is not from WhatsApp at all: a proxy, or a wrong host."""
    status = http_status or 400
    scope = HoldScope.MESSAGE
    if status == 429:
        klass, scope, title = ErrorClass.RETRY, HoldScope.NUMBER, "Too many requests"
    elif status == 408 or status >= 500:
        klass, title = ErrorClass.RETRY, "The platform did not answer properly"
    elif status in (401, 403, 407):
        klass, scope, title = ErrorClass.AUTH, HoldScope.ACCOUNT, "Access denied"
    elif code is None and http_status is not None and status != 413:
        klass, scope, title = ErrorClass.AUTH, HoldScope.ACCOUNT, "What answered is not the Graph API"
    else:
        klass, title = ErrorClass.FAIL, "Unknown error"
    facts = {**CLASS_DEFAULTS[klass], "scope": scope}
    return CodeRule(code=code, subcode=subcode, http_status=status, title=title, klass=klass, **facts)
