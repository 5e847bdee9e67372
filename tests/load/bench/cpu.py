"""How much processor time processes have used, read from the operating system."""

from collections.abc import Iterable
from contextlib import suppress

import psutil


def cpu_seconds(pids: Iterable[int]) -> float:
    """Add up the user and system seconds of processes and all that they have started."""
    return sum(_of_tree(psutil.Process(pid)) for pid in pids)


def _of_tree(root: psutil.Process) -> float:
    seconds = 0.0
    for process in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            # Those of children that have ended are in their parent's.
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds
