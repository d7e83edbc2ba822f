"""What a capacity plan says: every figure, notes, or a refusal.

Process: main makes it; every process may read it (picklable).
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from config.capacity.machine import CpuSource
from config.locales import text

AskedBy = Literal["workers", "fast", "web_concurrency"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the operator should know, though the plan fits. `code` is stable; `text` puts it into words."""

    code: str
    figures: dict[str, int]

    def text(self, locale: str = "en") -> str:
        return text(locale, f"capacity.note.{self.code}", **self.figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every figure of a plan that fits. Connections are counted over all servers of the replica set."""

    workers: int
    workers_that_fit: int
    workers_asked: int
    asked_by: AskedBy
    cpus: int
    cpu_source: CpuSource
    host_cpus: int

    pool_per_worker: int
    worker_connections: int
    worker_margin: int
    pool_queen: int
    monitors_per_server: int
    servers: int
    monitor_connections: int
    overlap_workers: int
    overlap_connections: int
    instance_connections: int
    instances: int
    overlap_instances: int
    total_connections: int
    max_connections: int
    margin: int

    memory_mb: int | None
    worker_memory_mb: int
    workers_memory_mb: int
    overlap_memory_mb: int
    queen_memory_mb: int
    base_memory_mb: int
    sandbox_memory_mb: int
    database_memory_mb: int
    total_memory_mb: int
    memory_margin_mb: int | None

    notes: tuple[Note, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON: every figure, and each note with its code, its figures and an English sentence."""
        figures = asdict(self)
        figures["notes"] = [{"code": note.code, "text": note.text(), **note.figures} for note in self.notes]
        return figures


class PlanRefused(Exception):
    """It does not fit. `text` names the figure to change, in the operator's language."""

    def __init__(self, code: str, figures: dict[str, int]) -> None:
        super().__init__(code, figures)
        self.code = code
        self.figures = figures

    def text(self, locale: str = "en") -> str:
        return text(locale, f"capacity.refused.{self.code}", **self.figures)

    def __str__(self) -> str:
        return self.text()
