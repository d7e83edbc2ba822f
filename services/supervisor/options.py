"""The supervisor's limits and times, as one frozen record.

Process: main.
"""

from dataclasses import dataclass, field
from pathlib import Path

from config.settings import Settings
from services.supervisor.backoff import RestartPolicy

MEGABYTE = 1024 * 1024
PLATFORM_KILLS_S = 30.0  # Render's default; a stop must take less


@dataclass(frozen=True, slots=True)
class SupervisorOptions:
    """Seconds, bytes and counts. `max_workers`: what the capacity plan allows, 0 = unknown. A limit of 0 is off."""

    run_dir: str = "./data/run"
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    stall_s: float = 10.0
    start_timeout_s: float = 90.0
    start_attempts: int = 3
    worker_memory_bytes: int = 200 * MEGABYTE
    memory_min_age_s: float = 60.0
    max_requests: int = 0
    max_requests_jitter: float = 0.1
    max_workers: int = 0
    unready_s: float = 0.5
    drain_s: float = 20.0
    last_stop_s: float = 3.5
    stop_last: tuple[str, ...] = ("Sandbox", "Database")

    @classmethod
    def from_settings(cls, settings: Settings, *, max_workers: int = 0) -> "SupervisorOptions":
        """Take the values from the settings. `max_workers` comes from the capacity plan."""
        return cls(
            run_dir=str(Path(settings.data_dir) / "run"),
            restart=RestartPolicy(
                first_s=settings.restart_first_s,
                max_s=settings.restart_max_s,
                breaker_deaths=settings.restart_breaker_deaths,
                window_s=settings.restart_breaker_window_s,
                cool_s=settings.restart_breaker_cool_s,
            ),
            stall_s=settings.stall_s,
            start_timeout_s=settings.db_wait_s + 70.0,
            worker_memory_bytes=settings.worker_memory_mb * MEGABYTE,
            max_requests=settings.max_requests,
            max_workers=max_workers,
            drain_s=settings.drain_s,
        )
