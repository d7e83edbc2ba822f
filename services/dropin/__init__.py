"""The drop-in's own logic: what makes Panal look like Meta's Cloud API to clients that know nothing of Panal.

Process: worker.
"""

from services.dropin.callbacks import APP, Callbacks, Place
from services.dropin.faults import GraphFault, no_token, unknown_object
from services.dropin.handshake import Handshake
from services.dropin.passage import Passage, PassedAnswer, PassedCall

__all__ = [
    "APP",
    "Callbacks",
    "GraphFault",
    "Handshake",
    "Passage",
    "PassedAnswer",
    "PassedCall",
    "Place",
    "no_token",
    "unknown_object",
]
