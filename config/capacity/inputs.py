"""The figures that a capacity plan is made of, and how the settings fill them.

Process: main.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from config.capacity.machine import CpuReading, CpuSource
from config.settings import Settings

BASE_MEMORY_MB = 120
"""Main process, Sanic's state manager and multiprocessing's tracker: about 40 MB each, measured."""

SANDBOX_MEMORY_MB = 110
DATABASE_BESIDE_CACHE_MB = 64
MONITORS_PER_SERVER = 2
"""The driver keeps one connection to watch a server and one to measure its round trip. Measured with PyMongo 4.20."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityInputs:
    """What there is and what was asked for. `workers_asked` is an explicit `--workers=N`; None means `--fast`."""

    cpus: int
    workers_asked: int | None = None
    web_concurrency: int | None = None
    cpu_source: CpuSource = "host"
    host_cpus: int | None = None
    max_connections: int = 500
    pool_per_worker: int = 30
    pool_queen: int = 10
    monitors_per_server: int = MONITORS_PER_SERVER
    servers: int = 3
    overlap_workers: int = 1
    instances: int = 1
    overlap_instances: int = 1
    memory_mb: int | None = None
    worker_memory_mb: int = 200
    base_memory_mb: int = BASE_MEMORY_MB
    sandbox_memory_mb: int = 0
    database_memory_mb: int = 0


def capacity_inputs(
    settings: Settings,
    cpus: CpuReading,
    *,
    memory_mb: int | None,
    workers_asked: int | None,
    environ: Mapping[str, str],
) -> CapacityInputs:
    """Settings and the measured machine → inputs.

    The embedded database is one server that no other host can reach: no replica set, no second host in a deploy.
    """
    is_embedded = settings.is_embedded_db
    return CapacityInputs(
        cpus=cpus.cpus,
        cpu_source=cpus.source,
        host_cpus=cpus.host_cpus,
        workers_asked=workers_asked,
        web_concurrency=_count(environ.get("WEB_CONCURRENCY", "")),
        max_connections=settings.db_max_connections,
        pool_per_worker=settings.db_pool_per_worker,
        pool_queen=settings.db_pool_queen,
        servers=1 if is_embedded else settings.db_servers,
        overlap_workers=settings.overlap_workers,
        instances=1 if is_embedded else settings.instances,
        overlap_instances=0 if is_embedded else settings.overlap_instances,
        memory_mb=memory_mb,
        worker_memory_mb=settings.worker_memory_mb,
        sandbox_memory_mb=SANDBOX_MEMORY_MB if settings.whatsapp == "sandbox" else 0,
        database_memory_mb=_cache_mb(settings.embedded_db_cache) + DATABASE_BESIDE_CACHE_MB if is_embedded else 0,
    )


def _count(word: str) -> int | None:
    """A platform's hint; anything but a positive whole number is no hint."""
    return int(word) if word.isascii() and word.isdigit() and int(word) > 0 else None


def _cache_mb(size: str) -> int:
    """`256M` → 256, `2G` → 2048; the settings let nothing else through."""
    return int(size[:-1]) * (1024 if size.endswith("G") else 1)
