"""A cgroup's limits, and Envoy's share of its memory, with the server standalone and embedded."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config import GatewaySettings
from gateway.limits import MAX_HEAP_BYTES, heap_bytes
from gateway.render import render
from machine.cgroup import cpu_limit, memory_limit
from machine.worker_memory import MAX_WORKER_BYTES, worker_bytes

MIB = 1 << 20
NO_LIMIT_OF_V1 = 9223372036854771712
V2, V1 = "sys/fs/cgroup", "sys/fs/cgroup/memory"
CPU_V1 = "sys/fs/cgroup/cpu"
PERIOD = "cpu.cfs_period_us"
QUOTA = "cpu.cfs_quota_us"


def tree(folder: Path, own: str, **files: int | str) -> Path:
    """Make files like the kernel's: the cgroups of a process, and limits by their paths."""
    for name, content in {"proc/self/cgroup": own, **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n")
    return folder


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/", {f"{V2}/memory.max": 512 * MIB}, 512 * MIB),
        ("0::/", {f"{V2}/memory.max": "max"}, None),
        ("0::/", {}, None),
        ("0::/a/b", {f"{V2}/a/b/memory.max": 2, f"{V2}/a/memory.max": 1}, 1),
        ("0::/a/b", {f"{V2}/a/b/memory.max": "max", f"{V2}/a/memory.max": 3}, 3),
        ("0::/a", {f"{V2}/other/memory.max": 1}, None),
        ("0::/../b", {f"{V2}/memory.max": 4}, 4),
        ("4:cpu,memory:/a", {f"{V1}/a/memory.limit_in_bytes": 5}, 5),
        ("4:memory:/docker/1", {f"{V1}/memory.limit_in_bytes": 6}, 6),
        ("4:memory:/", {f"{V1}/memory.limit_in_bytes": NO_LIMIT_OF_V1}, None),
        ("4:cpu:/a", {f"{V1}/a/memory.limit_in_bytes": 7}, None),
        ("4:memory:/a\n0::/", {f"{V1}/a/memory.limit_in_bytes": 8, f"{V2}/memory.max": "max"}, 8),
    ],
)
def test_the_least_limit_of_the_own_cgroup_and_those_around_it(
    tmp_path: Path, own: str, files: dict[str, int | str], limit: int | None
) -> None:
    assert memory_limit(tree(tmp_path, own, **files)) == limit


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/", {f"{V2}/cpu.max": "150000 100000"}, 1.5),
        ("0::/", {f"{V2}/cpu.max": "max 100000"}, None),
        ("0::/", {f"{V2}/unified/cpu.max": "20000 10000"}, 2),
        ("0::/a", {f"{V2}/a/cpu.max": "400000 100000", f"{V2}/cpu.max": "300000 100000"}, 3),
        ("4:cpu,cpuacct:/a", {f"{CPU_V1}/a/{QUOTA}": 50000, f"{CPU_V1}/a/{PERIOD}": 100000}, 0.5),
        ("4:cpuacct,cpu:/a", {f"{CPU_V1}/{QUOTA}": 100000, f"{CPU_V1}/{PERIOD}": 100000}, 1),
        ("4:cpu:/", {f"{CPU_V1}/{QUOTA}": -1, f"{CPU_V1}/{PERIOD}": 100000}, None),
        ("4:cpuset:/a", {f"{CPU_V1}/a/{QUOTA}": 50000, f"{CPU_V1}/a/{PERIOD}": 100000}, None),
    ],
)
def test_the_limit_of_cpus_is_found_as_well(
    tmp_path: Path, own: str, files: dict[str, int | str], limit: float | None
) -> None:
    assert cpu_limit(tree(tmp_path, own, **files)) == limit


def test_no_cgroup_is_no_limit(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) is None
    assert cpu_limit(tmp_path) is None


@pytest.mark.parametrize(
    ("settings", "cgroup_mib", "heap_mib"),
    [
        ({}, None, 1024),
        ({}, 512, 256),
        ({}, 16384, 1024),
        ({"max_heap_mb": 100}, 512, 100),
        ({"max_heap_mb": 4096}, None, 4096),
        ({"embedded": True}, None, 1024),
        ({"embedded": True}, 512, 100),
        ({"embedded": True, "workers": 2}, 1024, 184),
        ({"embedded": True, "workers": 4}, 256, 64),
        ({"embedded": True, "max_heap_mb": 90}, 512, 90),
    ],
)
def test_the_heap_is_a_share_of_it_that_leaves_python_its_room(
    settings: dict[str, Any], cgroup_mib: int | None, heap_mib: int
) -> None:
    cgroup = None if cgroup_mib is None else cgroup_mib * MIB
    assert heap_bytes(GatewaySettings(**settings), cgroup) // MIB == heap_mib


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_embedded_workers_and_the_one_that_comes_fit_together(workers: int) -> None:
    cgroup = 1024 * MIB
    assert workers * worker_bytes(workers, cgroup) < cgroup - 200 * MIB
    assert worker_bytes(workers, None) == MAX_WORKER_BYTES


def test_it_is_what_envoy_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert max_heap() == MAX_HEAP_BYTES
    monkeypatch.setattr("gateway.render.memory_limit", lambda: 512 * MIB)
    assert max_heap() == 256 * MIB


def max_heap() -> int:
    monitors = yaml.safe_load(render(GatewaySettings(), {}))["overload_manager"]["resource_monitors"]
    (heap,) = (it["typed_config"] for it in monitors if it["name"].endswith("fixed_heap"))
    return int(heap["max_heap_size_bytes"])
