"""Cgroups of the kernel's own, with a limit of memory or of CPUs, that a test runs a process in."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.machine.toolchains import insist_on

_MOUNTS = Path("/sys/fs/cgroup")
_PERIOD_US = 100_000


@dataclass(frozen=True)
class Cgroup:
    """A cgroup of version 1."""

    folder: Path

    @property
    def prefix(self) -> list[str]:
        """The command that puts what follows it into the cgroup."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs")]


class MemoryCgroup(Cgroup):
    """One with a limit of memory."""

    def killed(self) -> int:
        """Count the processes that the kernel killed for want of memory."""
        text = (self.folder / "memory.oom_control").read_text()
        return int(re.findall(r"^oom_kill (\d+)$", text, re.MULTILINE)[0])

    def peak_bytes(self) -> int:
        """Return the peak of its memory so far, the kernel's for it included."""
        return int((self.folder / "memory.max_usage_in_bytes").read_text())


@contextmanager
def memory_cgroup(limit_bytes: int) -> Iterator[MemoryCgroup]:
    """Make a cgroup for the block; if this machine allows none, fail in CI and else skip."""
    with _folder("memory", {"memory.limit_in_bytes": limit_bytes}) as folder:
        yield MemoryCgroup(folder)


@contextmanager
def cpu_cgroup(cpus: float) -> Iterator[Cgroup]:
    """Make one that may use so many CPUs, in the same way."""
    limit = {"cpu.cfs_period_us": _PERIOD_US, "cpu.cfs_quota_us": int(cpus * _PERIOD_US)}
    with _folder("cpu", limit) as folder:
        yield Cgroup(folder)


@contextmanager
def _folder(controller: str, limits: Mapping[str, int]) -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix="livecalls-", dir=_MOUNTS / controller))
        for name, limit in limits.items():
            (folder / name).write_text(str(limit))
    except OSError as error:
        insist_on(f"a cgroup of version 1, which cannot be made here: {error.strerror}")
    try:
        yield folder
    finally:
        folder.rmdir()
