"""How much memory the Envoys with the embedded server may take, by what the machine gives them."""

MAX_WORKER_BYTES = 1 << 30
"""All that one takes if there is no limit to go by, and the most that is taken of a large machine."""

_MIB = 1 << 20
PYTHON_BYTES = 192 * _MIB
"""Embedded Python, and the code of both."""

_MIN_HEAP_BYTES = 64 * _MIB
_WORKERS_OF_CGROUP = 0.9
# One that has just started: while it takes the place of another there is one more.
_FRESH_WORKER_BYTES = 128 * _MIB
_SUPERVISOR_BYTES = 40 * _MIB


def worker_bytes(workers: int, cgroup_bytes: int | None) -> int:
    """Return what each of the Envoys with the embedded server may take, which share a cgroup."""
    if cgroup_bytes is None:
        return MAX_WORKER_BYTES
    shared = int(cgroup_bytes * _WORKERS_OF_CGROUP) - _FRESH_WORKER_BYTES - _SUPERVISOR_BYTES
    return min(max(shared // workers, PYTHON_BYTES + _MIN_HEAP_BYTES), MAX_WORKER_BYTES)
