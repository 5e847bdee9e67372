"""How many CPUs this process may use."""

import os

from machine.cgroup import cpu_limit


def usable_cpus() -> int:
    """Count the CPUs that this process may run on, and no more than its cgroup's limit; one at least.

    Of a limit of 2.5 two count: a third thread would be stopped for half of each period.
    """
    allowed = _affinity()
    limit = cpu_limit()
    return allowed if limit is None else max(1, min(allowed, int(limit)))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # of no Linux
