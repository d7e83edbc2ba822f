"""Every constructor, once: the composition root of the workers and of the owner.

Process: worker, whatsapp.
"""

from services.wiring.access import Access, build_access
from services.wiring.owner import Owner, build_owner
from services.wiring.shared import LEASE_NAME, egress_policy
from services.wiring.worker import WorkerServices, build_worker

__all__ = [
    "LEASE_NAME",
    "Access",
    "Owner",
    "WorkerServices",
    "build_access",
    "build_owner",
    "build_worker",
    "egress_policy",
]
