"""Meta's Graph API: calls, outcomes, and what its error codes mean. Knows nothing of our database."""

from services.graph.access import GraphAccess, graph_access
from services.graph.classify import classify
from services.graph.client import GraphClient, SendAnswer, appsecret_proof, graph_path
from services.graph.code_table import NO_SUCH_OBJECT, RANGES, RULES
from services.graph.codes import CodeRule, ErrorClass, HoldScope
from services.graph.management import GraphManagement, NumberInfo, TemplateCreated, TemplateInfo
from services.graph.media import Download, GraphMedia, MediaInfo
from services.graph.outcomes import GraphRefused, GraphUnknown, GraphUnreachable, GraphUnsendable
from services.graph.secrets import DECODINGS_MOST, HIDDEN, SecretScrubber, credential_name, spellings
from services.graph.transport import GraphAnswer, WitnessedBody
from services.graph.usage import Usage

__all__ = [
    "DECODINGS_MOST",
    "HIDDEN",
    "NO_SUCH_OBJECT",
    "RANGES",
    "RULES",
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
    "SecretScrubber",
    "SendAnswer",
    "TemplateCreated",
    "TemplateInfo",
    "Usage",
    "WitnessedBody",
    "appsecret_proof",
    "classify",
    "credential_name",
    "graph_access",
    "graph_path",
    "spellings",
]
