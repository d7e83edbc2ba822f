"""The composition root of workers and owner: the one place that builds them.

Process: worker, whatsapp.
"""

from services.wiring.access import Access, build_access
from services.wiring.owner import Owner, build_owner
from services.wiring.owner_context import BackgroundTask, OwnerContext
from services.wiring.owner_tasks import OwnSteps, TermParts, background_tasks, build_parts, first_background_tasks
from services.wiring.owner_term import build_context, project
from services.wiring.shared import LEASE_NAME, egress_policy
from services.wiring.worker import WorkerServices, build_worker

__all__ = [
    "LEASE_NAME",
    "Access",
    "BackgroundTask",
    "OwnSteps",
    "Owner",
    "OwnerContext",
    "TermParts",
    "WorkerServices",
    "background_tasks",
    "build_access",
    "build_context",
    "build_owner",
    "build_parts",
    "build_worker",
    "egress_policy",
    "first_background_tasks",
    "project",
]
