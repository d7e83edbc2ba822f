"""Meta's Graph API: calls, outcomes, and what its error codes mean. Knows nothing of our database."""

from services.graph.classify import classify
from services.graph.client import GraphClient, SendAnswer, appsecret_proof, graph_path
from services.graph.codes import CodeRule, ErrorClass, HoldScope
from services.graph.outcomes import GraphRefused, GraphUnknown, GraphUnreachable
from services.graph.transport import GraphAnswer
from services.graph.usage import Usage

__all__ = [
    "CodeRule",
    "ErrorClass",
    "GraphAnswer",
    "GraphClient",
    "GraphRefused",
    "GraphUnknown",
    "GraphUnreachable",
    "HoldScope",
    "SendAnswer",
    "Usage",
    "appsecret_proof",
    "classify",
    "graph_path",
]
