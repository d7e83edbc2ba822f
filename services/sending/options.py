"""How dispatch behaves, as one frozen record.

Process: whatsapp.
"""

from dataclasses import dataclass

from services.messages import OnUncertain


@dataclass(frozen=True, slots=True)
class DispatchOptions:
    """``concurrency``: sends at a time. ``evidence_wait_s``: wait for a status after an unknown outcome.

    Retries back off from ``retry_s`` to ``retry_max_s``; after ``max_refusals`` refusals a message fails.
    """

    concurrency: int
    evidence_wait_s: float
    on_uncertain: OnUncertain
    retry_s: float = 0.25
    retry_max_s: float = 30.0
    max_refusals: int = 8
