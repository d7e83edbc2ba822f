"""What a round saw, and what is said about it.

Process: none of the cluster's; a command.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.verify.client import Answer
from tools.verify.load import LoadResult
from tools.verify.options import Options
from tools.verify.view import ClusterView


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table. `is_ok` None: a figure to know, neither good nor bad. `next_step` only for a fault."""

    name: str
    is_ok: bool | None
    found: str
    wanted: str = ""
    next_step: str = ""


@dataclass(slots=True)
class Round:
    """Everything that one round saw. `samples`: the cluster while the load ran; `cluster` is the last of it, after.

    `sent`: the states of the messages that the load sent, as far as they were followed.
    """

    options: Options
    alive: Answer
    ready: Answer = field(default_factory=lambda: Answer(0, {}, "not asked"))
    seen: Answer = field(default_factory=lambda: Answer(0, {}, "not asked"))
    cluster: ClusterView = field(default_factory=ClusterView)
    samples: Sequence[ClusterView] = ()
    load: LoadResult | None = None
    events_per_s: float | None = None
    sent: Mapping[str, int] = field(default_factory=dict)

    @property
    def all_views(self) -> list[ClusterView]:
        """Every look at the cluster, the last one included."""
        return [*self.samples, self.cluster]
