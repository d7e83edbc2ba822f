"""The drop-in's own logic: what makes Panal look like Meta's Cloud API to clients that know nothing of Panal.

Process: worker.
"""

from services.dropin.answers import AnswerWithheld
from services.dropin.callbacks import APP, Callbacks, Place
from services.dropin.calls import OverrideRefused, PassedCall, PathRefused, plain_call, plain_path, require_no_override
from services.dropin.faults import GraphFault, no_token, unknown_object
from services.dropin.handshake import Handshake
from services.dropin.number_limit import NumberLimit
from services.dropin.passage import Passage, PassedAnswer

__all__ = [
    "APP",
    "AnswerWithheld",
    "Callbacks",
    "GraphFault",
    "Handshake",
    "NumberLimit",
    "OverrideRefused",
    "Passage",
    "PassedAnswer",
    "PassedCall",
    "PathRefused",
    "Place",
    "no_token",
    "plain_call",
    "plain_path",
    "require_no_override",
    "unknown_object",
]
