"""What may this process really use? CPUs and memory, seen through containers.

`os.cpu_count()` and the affinity mask ignore a container's quota: on a 64-core host they say 64 to a host of 4.

Process: main, once. Every file is read below `root`, so that tests can lay out a machine of their own.
"""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

CpuSource = Literal["quota", "render", "affinity", "host", "given"]

CGROUP_MOUNT = "sys/fs/cgroup"
V1_CPU_MOUNTS = ("cpu,cpuacct", "cpuacct,cpu", "cpu")
V1_MEMORY_MOUNTS = ("memory",)
V1_NO_MEMORY_LIMIT_BYTES = 1 << 60
"""cgroup v1 writes "no limit" as the largest page-aligned number."""
MB = 1 << 20


@dataclass(frozen=True, slots=True)
class CpuReading:
    """`cpus` is what counts: the smallest of what was found, at least 1. `source` says which figure that was."""

    cpus: int
    source: CpuSource
    host_cpus: int
    quota: float | None = None


def measure_cpus(
    *,
    root: Path = Path("/"),
    environ: Mapping[str, str] | None = None,
    affinity: int | None = None,
    host_cpus: int | None = None,
) -> CpuReading:
    """The CPUs that this process may keep busy.

    The smallest of: the quota of its cgroup and of every parent (v2 and v1, a part of a CPU counts as one),
    RENDER_CPU_COUNT, the affinity mask, the machine. What cannot be read does not count.
    """
    env = os.environ if environ is None else environ
    host = host_cpus if host_cpus is not None else (os.cpu_count() or 1)
    allowed = affinity if affinity is not None else _affinity()
    quota = _cpu_quota(root)
    found: list[tuple[int, CpuSource]] = [(host, "host")]
    if allowed is not None:
        found.append((allowed, "affinity"))
    if (render := _positive(env.get("RENDER_CPU_COUNT", ""))) is not None:
        found.append((math.ceil(render), "render"))
    if quota is not None:
        found.append((math.ceil(quota), "quota"))
    # Of equal figures the first one wins: a quota that takes nothing away is not the reason.
    cpus, source = min(found, key=lambda pair: pair[0])
    return CpuReading(cpus=max(1, cpus), source=source, host_cpus=host, quota=quota)


def measure_memory_mb(*, root: Path = Path("/")) -> int | None:
    """Memory of the host: the smallest limit of our cgroup and its parents, else the machine's. None when unknown."""
    limits = [_bytes(_read(folder / "memory.max")) for folder in _v2_folders(root)]
    for folder in _v1_folders(root, controller="memory", mounts=V1_MEMORY_MOUNTS):
        limit = _bytes(_read(folder / "memory.limit_in_bytes"))
        limits.append(limit if limit is not None and limit < V1_NO_MEMORY_LIMIT_BYTES else None)
    for line in (_read(root / "proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            limits.append(int(line.split()[1]) * 1024)
    known = [limit for limit in limits if limit]
    return min(known) // MB if known else None


def _cpu_quota(root: Path) -> float | None:
    """CPUs by cgroup quota, the tightest of our group and its parents; None when there is none."""
    quotas = []
    for folder in _v2_folders(root):
        quota, _, period = (_read(folder / "cpu.max") or "max").partition(" ")
        quotas.append(_ratio(quota, period or "100000"))
    for folder in _v1_folders(root, controller="cpu", mounts=V1_CPU_MOUNTS):
        quotas.append(_ratio(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")))
    known = [quota for quota in quotas if quota is not None]
    return min(known) if known else None


def _v2_folders(root: Path) -> Iterator[Path]:
    """Our cgroup (v2, alone or beside v1) and its parents, as far as they are visible from here."""
    path = next((path for number, controllers, path in _cgroups(root) if number == "0" and not controllers), None)
    if path is not None:
        for mount in (root / CGROUP_MOUNT, root / CGROUP_MOUNT / "unified"):
            yield from _with_parents(mount, path)


def _v1_folders(root: Path, *, controller: str, mounts: tuple[str, ...]) -> Iterator[Path]:
    for _, controllers, path in _cgroups(root):
        if controller in controllers:
            for mount in mounts:
                yield from _with_parents(root / CGROUP_MOUNT / mount, path)


def _cgroups(root: Path) -> list[tuple[str, list[str], str]]:
    """Lines of /proc/self/cgroup: (hierarchy, controllers, path)."""
    lines = (_read(root / "proc/self/cgroup") or "").splitlines()
    parts = [line.split(":", 2) for line in lines if line.count(":") >= 2]
    return [(number, [name for name in names.split(",") if name], path) for number, names, path in parts]


def _with_parents(mount: Path, path: str) -> Iterator[Path]:
    """The folder of a cgroup below its mount, then its parents up to the mount.

    In a container without a cgroup namespace the path is the host's and does not exist here: then the mount itself
    is our group, and it comes last anyway. `..` (a path from outside the namespace) is left out.
    """
    inner = PurePosixPath(*[part for part in PurePosixPath(path).parts if part not in ("/", "..")])
    for folder in [inner, *inner.parents] if inner.parts else [inner]:
        yield mount / folder


def _affinity() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _ratio(quota: str | None, period: str | None) -> float | None:
    part, whole = _positive(quota or ""), _positive(period or "")
    return part / whole if part and whole else None


def _positive(word: str) -> float | None:
    """A number above zero, else None: `max`, `-1`, nothing at all, nonsense."""
    try:
        value = float(word)
    except ValueError:
        return None
    return value if 0 < value < math.inf else None


def _bytes(word: str | None) -> int | None:
    value = _positive(word or "")
    return int(value) if value else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
