"""CPUs, workers, connections, memory → a Plan that fits, or a refusal. Pure arithmetic.

Process: main.
"""

from config.capacity.inputs import CapacityInputs
from config.capacity.records import AskedBy, Note, Plan, PlanRefused


def plan(inputs: CapacityInputs) -> Plan:
    """How many workers, and what they may cost.

    An explicit number of workers is taken or refused, never changed. Without one (`--fast`) it is WEB_CONCURRENCY or
    the usable CPUs, lowered to what fits, with a note that says why. Raises PlanRefused, which names the figure.
    """
    asked, asked_by = _asked(inputs)
    fit_connections, fit_memory = _most_by_connections(inputs), _most_by_memory(inputs)
    notes: list[Note] = []
    workers = asked
    if asked_by != "workers":
        if fit_connections < workers and fit_connections >= 1:
            workers = fit_connections
            figures = {"cap": inputs.max_connections, "pool": inputs.pool_per_worker}
            notes.append(Note("lowered_connections", {"asked": asked, "workers": workers, **figures}))
        if fit_memory is not None and inputs.memory_mb is not None and 1 <= fit_memory < workers:
            workers = fit_memory
            figures = {"memory": inputs.memory_mb, "each": inputs.worker_memory_mb}
            notes.append(Note("lowered_memory", {"asked": asked, "workers": workers, **figures}))
    _refuse_what_does_not_fit(inputs, workers, fit_connections=fit_connections, fit_memory=fit_memory)
    return _filled_in(
        inputs,
        workers,
        most=min(fit_connections, fit_memory or fit_connections),
        asked=asked,
        asked_by=asked_by,
        notes=[*notes, *_remarks(inputs, workers)],
    )


def _asked(inputs: CapacityInputs) -> tuple[int, AskedBy]:
    if inputs.workers_asked is not None:
        if inputs.workers_asked < 1:
            raise PlanRefused("workers", {"workers": inputs.workers_asked})
        return inputs.workers_asked, "workers"
    if inputs.web_concurrency is not None:
        return inputs.web_concurrency, "web_concurrency"
    return inputs.cpus, "fast"


def _per_client(inputs: CapacityInputs) -> int:
    """Monitoring connections of one client: some for each server it knows."""
    return inputs.monitors_per_server * inputs.servers


def _instance_connections(inputs: CapacityInputs, workers: int, *, pool: int) -> int:
    """Connections of one host at its worst moment: all pools full, in the middle of a rolling restart."""
    per_client = _per_client(inputs)
    return (workers + inputs.overlap_workers) * (pool + per_client) + inputs.pool_queen + per_client


def _hosts(inputs: CapacityInputs) -> int:
    return inputs.instances + inputs.overlap_instances


def _total_connections(inputs: CapacityInputs, workers: int, *, pool: int) -> int:
    return _hosts(inputs) * _instance_connections(inputs, workers, pool=pool)


def _most_by_connections(inputs: CapacityInputs) -> int:
    """The largest number of workers within the cap; below 1 when not even one fits."""
    per_client = _per_client(inputs)
    left = inputs.max_connections // _hosts(inputs) - inputs.pool_queen - per_client
    return left // (inputs.pool_per_worker + per_client) - inputs.overlap_workers


def _largest_pool(inputs: CapacityInputs, workers: int) -> int:
    """The largest pool with which so many workers fit; below 1 when none does."""
    per_client = _per_client(inputs)
    left = inputs.max_connections // _hosts(inputs) - inputs.pool_queen - per_client
    return left // (workers + inputs.overlap_workers) - per_client


def _memory_beside_workers_mb(inputs: CapacityInputs) -> int:
    """Everything but the workers themselves. The WhatsApp process may grow as large as a worker."""
    fixed = inputs.base_memory_mb + inputs.sandbox_memory_mb + inputs.database_memory_mb
    return fixed + (inputs.overlap_workers + 1) * inputs.worker_memory_mb


def _total_memory_mb(inputs: CapacityInputs, workers: int) -> int:
    return _memory_beside_workers_mb(inputs) + workers * inputs.worker_memory_mb


def _most_by_memory(inputs: CapacityInputs) -> int | None:
    """The largest number of workers within the host's memory; None when its memory is unknown."""
    if inputs.memory_mb is None:
        return None
    return (inputs.memory_mb - _memory_beside_workers_mb(inputs)) // inputs.worker_memory_mb


def _refuse_what_does_not_fit(
    inputs: CapacityInputs, workers: int, *, fit_connections: int, fit_memory: int | None
) -> None:
    pool = inputs.pool_per_worker
    if workers > fit_connections:
        total = _total_connections(inputs, workers, pool=pool)
        figures = {"workers": workers, "pool": pool, "product": workers * pool, "total": total}
        figures |= {"cap": inputs.max_connections, "max_workers": fit_connections}
        if fit_connections >= 1:
            raise PlanRefused("connections", figures | {"max_pool": max(1, _largest_pool(inputs, workers))})
        if (max_pool := _largest_pool(inputs, 1)) >= 1:
            one = _total_connections(inputs, 1, pool=pool)
            raise PlanRefused("connections_one", figures | {"max_pool": max_pool, "total": one})
        raise PlanRefused("connections_none", figures | {"total": _total_connections(inputs, 1, pool=1)})
    if fit_memory is not None and inputs.memory_mb is not None and workers > fit_memory:
        code = "memory" if fit_memory >= 1 else "memory_one"
        needed = _total_memory_mb(inputs, workers if fit_memory >= 1 else 1)
        figures = {"workers": workers, "each": inputs.worker_memory_mb, "needed": needed}
        raise PlanRefused(code, figures | {"memory": inputs.memory_mb, "max_workers": fit_memory})


def _remarks(inputs: CapacityInputs, workers: int) -> list[Note]:
    notes = []
    host = inputs.host_cpus if inputs.host_cpus is not None else inputs.cpus
    if inputs.cpus < host:
        notes.append(Note("quota_below_host", {"host": host, "cpus": inputs.cpus}))
    if workers > inputs.cpus:
        notes.append(Note("more_workers_than_cpus", {"workers": workers, "cpus": inputs.cpus}))
    if inputs.memory_mb is None:
        notes.append(Note("memory_not_measured", {}))
    return notes


def _filled_in(
    inputs: CapacityInputs, workers: int, *, most: int, asked: int, asked_by: AskedBy, notes: list[Note]
) -> Plan:
    pool, per_client = inputs.pool_per_worker, _per_client(inputs)
    total = _total_connections(inputs, workers, pool=pool)
    total_memory_mb = _total_memory_mb(inputs, workers)
    return Plan(
        workers=workers,
        workers_that_fit=most,
        workers_asked=asked,
        asked_by=asked_by,
        cpus=inputs.cpus,
        cpu_source=inputs.cpu_source,
        host_cpus=inputs.host_cpus if inputs.host_cpus is not None else inputs.cpus,
        pool_per_worker=pool,
        worker_connections=workers * pool,
        worker_margin=inputs.max_connections - workers * pool,
        pool_queen=inputs.pool_queen,
        monitors_per_server=inputs.monitors_per_server,
        servers=inputs.servers,
        monitor_connections=(workers + 1) * per_client,
        overlap_workers=inputs.overlap_workers,
        overlap_connections=inputs.overlap_workers * (pool + per_client),
        instance_connections=_instance_connections(inputs, workers, pool=pool),
        instances=inputs.instances,
        overlap_instances=inputs.overlap_instances,
        total_connections=total,
        max_connections=inputs.max_connections,
        margin=inputs.max_connections - total,
        memory_mb=inputs.memory_mb,
        worker_memory_mb=inputs.worker_memory_mb,
        workers_memory_mb=workers * inputs.worker_memory_mb,
        overlap_memory_mb=inputs.overlap_workers * inputs.worker_memory_mb,
        queen_memory_mb=inputs.worker_memory_mb,
        base_memory_mb=inputs.base_memory_mb,
        sandbox_memory_mb=inputs.sandbox_memory_mb,
        database_memory_mb=inputs.database_memory_mb,
        total_memory_mb=total_memory_mb,
        memory_margin_mb=None if inputs.memory_mb is None else inputs.memory_mb - total_memory_mb,
        notes=tuple(notes),
    )
