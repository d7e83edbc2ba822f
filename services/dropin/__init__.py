"""The drop-in's own logic: what makes Panal look like Meta's Cloud API to clients that know nothing of Panal.

Process: worker.
"""

from services.dropin.faults import GraphFault, no_token, unknown_object

__all__ = ["GraphFault", "no_token", "unknown_object"]
