"""The clock jumps, of server and Envoy: a library before libc's moves it; the monotonic clock goes on.

libfaketime would do the same, but Envoy does not start with it, and the server's log stands still.
Embedded, Envoy itself preloads Python, and nothing else.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.readiness import wait_until
from tests.drill.fault import Fault, Inflict
from tests.drill.world import World
from tests.support.machine.toolchains import ROOT, build_once
from tests.support.server.deployments import Deployment

_FILE = "clock"
_SOURCE = ROOT / "tests" / "drill" / "moved_clock.c"
_LIBRARY = ROOT / ".build" / "moved_clock.so"
_TOLERANCE = timedelta(minutes=2)


@contextmanager
def movable(folder: Path) -> Iterator[Mapping[str, str]]:
    """Yield the settings of processes whose clock a file sets."""
    build_once(
        "moved-clock", ["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", _LIBRARY, _SOURCE]
    )
    _set(folder, 0)
    yield {"LD_PRELOAD": str(_LIBRARY), "MOVE_CLOCK_BY": str(folder / _FILE)}


def faults(deployment: Deployment) -> Sequence[Fault]:
    """Return a jump either way, and back."""
    if deployment is Deployment.EMBEDDED:
        return ()
    return (
        Fault("the clock jumps an hour ahead, and back", _jump(1), 3),
        Fault("the clock jumps an hour back, and ahead", _jump(-1), 3),
    )


def _jump(hours: int) -> Inflict:
    @contextmanager
    def jump(world: World) -> Iterator[None]:
        _move(world, hours)
        yield
        _move(world, 0)

    return jump


def _move(world: World, hours: int) -> None:
    """Set the clock, and wait until the server's log shows it."""
    _set(world.folder, hours)
    expected = datetime.now(UTC) + timedelta(hours=hours)
    if not wait_until(lambda: abs(_last_time(world) - expected) < _TOLERANCE, 20):
        raise AssertionError(f"the server's clock is {_last_time(world)}, and not {expected}")


def _last_time(world: World) -> datetime:
    times = [line["time"] for line in world.server.lines('"answered"') if "time" in line]
    return datetime.fromisoformat(times[-1])


def _set(folder: Path, hours: int) -> None:
    """Write the seconds in place: the processes have mapped the file."""
    file = folder / _FILE
    with file.open("r+b" if file.exists() else "wb") as mapped:
        mapped.write(struct.pack("=q", hours * 3600))
