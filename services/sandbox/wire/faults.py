"""A refusal in Graph's envelope, and the same facts inside a `failed` status.

Process: sandbox.
"""

from services.sandbox.wire.codes import row_of
from services.sandbox.wire.shapes import Json

ERROR_CODES_HREF = "/documentation/business-messaging/whatsapp/support/error-codes"


class GraphFault(Exception):
    """Graph said no. `details` is what clients show; `message` replaces the usual "(#code) title"."""

    def __init__(
        self,
        code: int,
        details: str | None = None,
        *,
        title: str | None = None,
        message: str | None = None,
        subcode: int | None = None,
        http: int | None = None,
        kind: str | None = None,
    ) -> None:
        row = row_of(code)
        self.code = code
        self.title = title or row.title
        self.details = details or row.details
        self.subcode = subcode
        self.http = http or row.http
        self.kind = kind or row.kind
        self.retry_after_s: int | None = None
        # Pure Graph errors (tokens, object ids) carry no number in their text; the others do.
        self.message = message or (self.title if code in (104, 190) else f"(#{code}) {self.title}")
        super().__init__(f"{self.message}: {self.details}")

    def envelope(self, fbtrace_id: str) -> Json:
        """`{"error": {…}}` as Graph answers it.

        Source: Meta, "Error codes": message, type, code, error_data.details, fbtrace_id.
        """
        error: Json = {"message": self.message, "type": self.kind, "code": self.code}
        if self.details is not None:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["fbtrace_id"] = fbtrace_id
        return {"error": error}


def missing(name: str) -> GraphFault:
    """Code 100 for a parameter of the request itself: "(#100) The parameter to is required."."""
    return GraphFault(100, f"The parameter {name} is required.", message=f"(#100) The parameter {name} is required.")


def invalid(details: str) -> GraphFault:
    """Code 131009 with the sentence that names the wrong part."""
    return GraphFault(131009, details)


def absent(details: str) -> GraphFault:
    """Code 131008 with the sentence that names the missing part."""
    return GraphFault(131008, details)


def unknown_object(object_id: str, method: str) -> GraphFault:
    """Code 100, subcode 33: Graph's answer for an id that it does not know. The status is 400, not 404."""
    verb = {"GET": "get", "DELETE": "delete"}.get(method, "post")
    return GraphFault(
        100,
        subcode=33,
        kind="GraphMethodException",
        message=(
            f"Unsupported {verb} request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
            "permissions, or does not support this operation. Please read the Graph API documentation at "
            "https://developers.facebook.com/docs/graph-api"
        ),
    )


def status_error(code: int, details: str | None = None) -> Json:
    """An entry of `errors` in a `failed` status or in a message.

    Source: Meta, "messages webhook, status": code, title, message (same as title), error_data.details, href.
    """
    row = row_of(code)
    error: Json = {"code": code, "title": row.title, "message": row.title}
    text = details or row.details
    if text is not None:
        error["error_data"] = {"details": text}
    error["href"] = ERROR_CODES_HREF
    return error
