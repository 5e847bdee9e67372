"""The disk full that the logs of server and gateway are written to."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from demo.readiness import wait_until
from tests.drill.fault import Fault
from tests.drill.world import LOGS, World
from tests.support.machine.toolchains import insist_on
from tests.support.server.deployments import Deployment

_SIZE = "128m"
_FILLER = "filler"
_BLOCK = bytes(1 << 16)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a small disk for the logs, which takes root."""
    logs = folder / LOGS
    logs.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(logs)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        insist_on("a tmpfs, which cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(logs)], check=True)


@contextmanager
def full(world: World) -> Iterator[None]:
    """Fill it; once it has room again, the log goes on."""
    filler = world.folder / LOGS / _FILLER
    _fill(filler)
    yield
    filler.unlink()
    size = world.server.log_file.stat().st_size
    if not wait_until(lambda: world.server.log_file.stat().st_size > size, 20):
        raise AssertionError("the log does not go on")


def _fill(file: Path) -> None:
    with suppress(OSError), file.open("wb", buffering=0) as filler:
        while True:
            filler.write(_BLOCK)


def faults(_: Deployment) -> Sequence[Fault]:
    """Return the one: no caller may notice it."""
    return (Fault("the log's disk full", full, 3),)
