"""Refusals that only the Cloud API has: with a Graph code, a subcode and Meta's own sentence.

Process: worker.
"""

from config.errors import RequestRefused
from services.graph import NO_SUCH_OBJECT, classify

UNKNOWN_OBJECT_SUBCODE = 33
_VERBS = {"GET": "get", "DELETE": "delete"}


class GraphFault(RequestRefused):
    """Graph would say no. ``message`` replaces the usual "(#code) title"; ``details`` is what clients show."""

    code = "graph_fault"

    def __init__(
        self,
        graph_code: int,
        details: str | None = None,
        *,
        subcode: int | None = None,
        message: str | None = None,
        kind: str = "OAuthException",
    ) -> None:
        """``kind`` is Graph's ``type``."""
        self.graph_code = graph_code
        self.subcode = subcode
        self.details = details
        self.message = message
        self.kind = kind
        text = message or details or classify(graph_code, subcode).title
        super().__init__(text, extra={"graph_code": graph_code, "subcode": subcode})


def unknown_object(object_id: str, method: str) -> GraphFault:
    """Graph's "not found": code 100, subcode 33. Source: captured answers; Meta's OpenAPI says 803, no client does."""
    message = NO_SUCH_OBJECT.format(method=_VERBS.get(method, "post"), id=object_id)
    return GraphFault(100, subcode=UNKNOWN_OBJECT_SUBCODE, message=message, kind="GraphMethodException")


def no_token() -> GraphFault:
    """Nobody said who calls."""
    return GraphFault(104, message="An access token is required to request this resource.")
