"""How much memory and CPU this process may take together with all others of its cgroup."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# What is no limit in version 1: the largest number of bytes in whole pages.
_NO_LIMIT = 1 << 60


def memory_limit(root: Path = Path("/")) -> int | None:
    """Return the least limit of the own cgroup and its ancestors, in bytes; None if there is none.

    It is memory.max of cgroup v2, and memory.limit_in_bytes of v1.
    """
    limits = (_read_memory(folder) for folder in _folders(root, "memory"))
    return min((limit for limit in limits if limit is not None), default=None)


def cpu_limit(root: Path = Path("/")) -> float | None:
    """Return the least limit of the own cgroup and its ancestors, in CPUs; None if there is none.

    It is cpu.max of cgroup v2, and cpu.cfs_quota_us of v1, each by the period that it is for.
    """
    limits = (_read_cpus(folder) for folder in _folders(root, "cpu"))
    return min((limit for limit in limits if limit is not None), default=None)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders that may have the files of a controller's limits.

    A container sees its own cgroup as the root, but in v1 its path is that on the host: what does not
    exist there is skipped.
    """
    mounts = root / "sys/fs/cgroup"
    for controllers, path in _cgroups(root):
        if controllers and controller not in controllers:
            continue
        places = [mounts / controller] if controllers else [mounts, mounts / "unified"]
        for each in (PurePosixPath(path), *PurePosixPath(path).parents):
            yield from (mount / each.relative_to("/") for mount in places)


def _cgroups(root: Path) -> Iterator[tuple[list[str], str]]:
    """Read which cgroups this process is in: the controllers, none in v2, and the path."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # of no Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        # In the cgroup namespace of another, /.. leads out of what can be seen.
        known = path if path.startswith("/") and "/.." not in path else "/"
        yield controllers.split(",") if controllers else [], known


def _read_memory(folder: Path) -> int | None:
    text = _read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes")
    limit = int(text) if text.isdecimal() else _NO_LIMIT  # or there is no such file, or it holds `max`
    return limit if limit < _NO_LIMIT else None


def _read_cpus(folder: Path) -> float | None:
    v1 = (folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
    text = _read(folder / "cpu.max") or " ".join(map(_read, v1))
    match text.split():
        case [quota, period] if quota.isdecimal():  # neither `max` nor -1
            return int(quota) / int(period)
    return None


def _read(file: Path) -> str:
    """Read a file of the kernel's; there may be none."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""
