"""Meta's Graph API: calls, outcomes, and what its error codes mean. Knows nothing of our database."""

from services.graph.access import GraphAccess, graph_access
from services.graph.classify import classify
from services.graph.client import GraphClient, SendAnswer, appsecret_proof, graph_path
from services.graph.codes import CodeRule, ErrorClass, HoldScope
from services.graph.management import GraphManagement, NumberInfo, TemplateCreated, TemplateInfo
from services.graph.media import Download, GraphMedia, MediaInfo
from services.graph.outcomes import GraphRefused, GraphUnknown, GraphUnreachable, GraphUnsendable
from services.graph.transport import GraphAnswer
from services.graph.usage import Usage

__all__ = [
    "CodeRule",
    "Download",
    "ErrorClass",
    "GraphAccess",
    "GraphAnswer",
    "GraphClient",
    "GraphManagement",
    "GraphMedia",
    "GraphRefused",
    "GraphUnknown",
    "GraphUnreachable",
    "GraphUnsendable",
    "HoldScope",
    "MediaInfo",
    "NumberInfo",
    "SendAnswer",
    "TemplateCreated",
    "TemplateInfo",
    "Usage",
    "appsecret_proof",
    "classify",
    "graph_access",
    "graph_path",
]
