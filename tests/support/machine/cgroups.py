"""A cgroup of the kernel's own, with a limit of memory, that a test runs a process in."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.machine.toolchains import insist_on

_MEMORY = Path("/sys/fs/cgroup/memory")


@dataclass(frozen=True)
class MemoryCgroup:
    """A cgroup of version 1."""

    folder: Path

    @property
    def prefix(self) -> list[str]:
        """The command that puts what follows it into the cgroup."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs")]

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
    try:
        cgroup = MemoryCgroup(Path(tempfile.mkdtemp(prefix="livecalls-", dir=_MEMORY)))
        (cgroup.folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
    except OSError as error:
        insist_on(f"a cgroup of version 1, which cannot be made here: {error.strerror}")
    try:
        yield cgroup
    finally:
        cgroup.folder.rmdir()
