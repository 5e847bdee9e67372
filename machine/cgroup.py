"""How much memory this process may take together with all others of its cgroup."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# What is no limit in version 1: the largest number of bytes in whole pages.
_NO_LIMIT = 1 << 60


def memory_limit(root: Path = Path("/")) -> int | None:
    """Return the least limit of the own cgroup and its ancestors, in bytes; None if there is none.

    It is memory.max of cgroup v2, and memory.limit_in_bytes of v1.
    """
    limits = (_read_limit(file) for file in _files(root))
    return min((limit for limit in limits if limit is not None), default=None)


def _files(root: Path) -> Iterator[Path]:
    """Yield the files that may hold a limit.

    A container sees its own cgroup as the root, but in v1 its path is that on the host: what does not
    exist there is skipped.
    """
    mounts = root / "sys/fs/cgroup"
    for controllers, path in _cgroups(root):
        places = [(mounts, "memory.max"), (mounts / "unified", "memory.max")]
        if controllers:
            places = [(mounts / "memory", "memory.limit_in_bytes")]
        for each in (PurePosixPath(path), *PurePosixPath(path).parents):
            yield from (mount / each.relative_to("/") / name for mount, name in places)


def _cgroups(root: Path) -> Iterator[tuple[str, str]]:
    """Read which cgroups this process is in: the controllers, none in v2, and the path."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # of no Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "" or "memory" in controllers.split(","):
            # In the cgroup namespace of another, /.. leads out of what can be seen.
            yield controllers, path if path.startswith("/") and "/.." not in path else "/"


def _read_limit(file: Path) -> int | None:
    try:
        limit = int(file.read_text())
    except (OSError, ValueError):  # there is no such file, or it holds `max`
        return None
    return limit if limit < _NO_LIMIT else None
