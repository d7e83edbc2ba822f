"""Which requests the load is made of: reading, as a console and an integration would; sending only when asked to.

Process: none of the cluster's; a command.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

READS = (
    "/v1/messages?limit=20",
    "/v1/numbers",
    "/v1/conversations?limit=20",
    "/livez",
    "/v1/cluster",
    "/v1/messages?limit=20",
    "/v1/capacity",
    "/v1/conversations?limit=20",
    "/livez",
    "/v1/numbers",
)
"""In turn. Each is safe: it changes nothing, and reads no more than a page. Four of ten ask the database: at 1,600 a
minute a free Atlas M0 (100 operations/s) still has capacity for everything else."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `is_send`: the answer names a message whose way is followed."""

    path: str
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None

    @property
    def is_send(self) -> bool:
        return self.method == "POST"


def calls(count: int, *, run_id: str, send_to: Sequence[str] = (), send_share: float = 0.0) -> list[Call]:
    """`count` requests; with recipients every so many of them is a send, each to the next one, spread evenly."""
    found: list[Call] = []
    sends = reads = 0
    for position in range(count):
        if send_to and (position + 1) * send_share >= sends + 1:
            found.append(_send(send_to[sends % len(send_to)], f"verify-{run_id}-{sends}"))
            sends += 1
        else:
            found.append(Call(READS[reads % len(READS)]))
            reads += 1
    return found


def _send(to: str, key: str) -> Call:
    """The one template that every WABA begins with: it may be sent at any time, outside the window too."""
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    body = {"to": to, "type": "template", "template": template, "metadata": {"sent_by": "panal-verify"}}
    return Call("/v1/messages", "POST", body, {"idempotency-key": key})
