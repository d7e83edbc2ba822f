"""A machine is a folder of small files here: /proc and /sys/fs/cgroup as containers show them."""

from pathlib import Path

import pytest

from config.capacity import measure_cpus, measure_memory_mb

V2 = "0::/\n"
V2_NESTED = "0::/system.slice/panal.service\n"
V1 = "4:memory:/docker/abc\n3:cpuset:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n"
HYBRID = "4:memory:/\n2:cpuacct:/\n1:cpu:/\n0::/\n"
GB = 1 << 30


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, words in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
    return root


@pytest.mark.parametrize(
    ("files", "environ", "host", "affinity", "cpus", "source"),
    [
        ({}, {}, 8, 8, 8, "host"),
        ({}, {}, 8, 3, 3, "affinity"),
        # cgroup v2.
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "400000 100000\n"}, {}, 64, 64, 4, "quota"),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "max 100000\n"}, {}, 64, 64, 64, "host"),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "50000 100000\n"}, {}, 64, 64, 1, "quota"),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "150000 100000\n"}, {}, 64, 64, 2, "quota"),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "rubbish\n"}, {}, 64, 64, 64, "host"),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": ""}, {}, 64, 64, 64, "host"),
        # The quota of a parent binds as well, and the tighter one wins.
        (
            {
                "proc/self/cgroup": V2_NESTED,
                "sys/fs/cgroup/system.slice/panal.service/cpu.max": "800000 100000",
                "sys/fs/cgroup/system.slice/cpu.max": "300000 100000",
            },
            {},
            64,
            64,
            3,
            "quota",
        ),
        # A container without a namespace of its own sees the host's path, which is not mounted.
        ({"proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/cpu.max": "200000 100000"}, {}, 64, 64, 2, "quota"),
        ({"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/cpu.max": "200000 100000"}, {}, 64, 64, 2, "quota"),
        # cgroup v1.
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "400000\n",
                "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
            },
            {},
            64,
            64,
            4,
            "quota",
        ),
        (
            {
                "proc/self/cgroup": HYBRID,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            {},
            2,
            2,
            1,
            "quota",
        ),
        (
            {
                "proc/self/cgroup": HYBRID,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            {},
            2,
            2,
            2,
            "host",
        ),
        # Render says it in a variable; the smallest figure wins all the same.
        ({}, {"RENDER_CPU_COUNT": "4"}, 64, 64, 4, "render"),
        ({}, {"RENDER_CPU_COUNT": "0.5"}, 64, 64, 1, "render"),
        ({}, {"RENDER_CPU_COUNT": "many"}, 64, 64, 64, "host"),
        ({}, {"RENDER_CPU_COUNT": "8"}, 64, 2, 2, "affinity"),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "400000 100000"}, {}, 64, 2, 2, "affinity"),
        # A quota that takes nothing away is not the reason.
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "200000 100000"}, {}, 2, 2, 2, "host"),
    ],
)
def test_the_cpus_that_may_really_be_used(
    tmp_path: Path,
    files: dict[str, str],
    environ: dict[str, str],
    host: int,
    affinity: int,
    cpus: int,
    source: str,
) -> None:
    root = machine(tmp_path, files)
    reading = measure_cpus(root=root, environ=environ, affinity=affinity, host_cpus=host)
    assert (reading.cpus, reading.source, reading.host_cpus) == (cpus, source, host)


def test_this_machine_has_at_least_one_cpu_and_some_memory() -> None:
    reading = measure_cpus()
    assert 1 <= reading.cpus <= reading.host_cpus
    assert (measure_memory_mb() or 0) > 100


@pytest.mark.parametrize(
    ("files", "memory_mb"),
    [
        ({}, None),
        ({"proc/meminfo": "MemTotal:       16384000 kB\nMemFree: 1 kB\n"}, 16000),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/memory.max": f"{8 * GB}\n"}, 8192),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/memory.max": "max\n", "proc/meminfo": "MemTotal: 1048576 kB\n"}, 1024),
        (
            {
                "proc/self/cgroup": V2_NESTED,
                "sys/fs/cgroup/system.slice/memory.max": f"{GB}\n",
                "sys/fs/cgroup/system.slice/panal.service/memory.max": f"{2 * GB}\n",
                "proc/meminfo": "MemTotal: 16777216 kB\n",
            },
            1024,
        ),
        ({"proc/self/cgroup": V1, "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": f"{GB}\n"}, 1024),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "9223372036854771712\n",
                "proc/meminfo": "MemTotal: 2097152 kB\n",
            },
            2048,
        ),
    ],
)
def test_the_memory_of_the_box(tmp_path: Path, files: dict[str, str], memory_mb: int | None) -> None:
    assert measure_memory_mb(root=machine(tmp_path, files)) == memory_mb
