"""The drop-in's own logic: what makes Panal look like Meta's Cloud API to clients that know nothing of Panal.

Process: worker.
"""

from services.cloud_api.answers import AnswerWithheld
from services.cloud_api.callbacks import APP, Callbacks, Place
from services.cloud_api.calls import (
    OverrideRefused,
    PathRefused,
    ProxiedCall,
    parameter_name,
    plain_call,
    plain_path,
    require_no_override,
)
from services.cloud_api.errors import GraphFault, no_token, unknown_object
from services.cloud_api.graph_proxy import GraphProxy, ProxiedAnswer
from services.cloud_api.handshake import Handshake
from services.cloud_api.number_limit import FIELDS, NumberLimit

__all__ = [
    "APP",
    "FIELDS",
    "AnswerWithheld",
    "Callbacks",
    "GraphFault",
    "GraphProxy",
    "Handshake",
    "NumberLimit",
    "OverrideRefused",
    "PathRefused",
    "Place",
    "ProxiedAnswer",
    "ProxiedCall",
    "no_token",
    "parameter_name",
    "plain_call",
    "plain_path",
    "require_no_override",
    "unknown_object",
]
