"""The server's workers: killed, paused, leaking memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.drill.accounting import Outcome, Refusals, WayIn
from tests.drill.fault import Fault
from tests.drill.world import World
from tests.support.machine import leaking
from tests.support.machine.cgroups import memory_cgroup
from tests.support.server.deployments import Deployment

_MAX_RSS_MB = 320
_CGROUP_BYTES = 64 << 20
_LEAK = "leak"


@contextmanager
def killed(world: World) -> Iterator[None]:
    world.worker().kill()
    yield


@contextmanager
def paused(world: World) -> Iterator[None]:
    worker = world.worker()
    worker.suspend()
    yield
    worker.resume()


@contextmanager
def leaks(world: World) -> Iterator[None]:
    """Let one leak until it ends: replaced by its supervisor, or standalone killed by the kernel."""
    worker = world.worker()
    with ExitStack() as stack:
        if world.gateway:
            cgroup = stack.enter_context(memory_cgroup(_CGROUP_BYTES))
            (cgroup.folder / "cgroup.procs").write_text(str(worker.pid))
        (world.folder / _LEAK).write_text(str(worker.pid))
        worker.wait(30)
    yield


@contextmanager
def leaky(folder: Path) -> Iterator[Mapping[str, str]]:
    """Yield the settings of a server that can be made to leak."""
    yield {
        "PYTHONPATH": leaking.path(),
        "LEAK_BY": str(folder / _LEAK),
        "MAX_RSS_MB": str(_MAX_RSS_MB),
    }


def faults(deployment: Deployment) -> Sequence[Fault]:
    """Return them; embedded, callers are connected to the worker itself."""
    if deployment is Deployment.EMBEDDED:
        cut: Refusals = {
            WayIn.REST: frozenset({Outcome.CONNECTION_LOST}),
            WayIn.THROUGH: frozenset({Outcome.UNAVAILABLE}),
        }
        # A worker that goes on may find that the time for its SELECT is over.
        silent = {
            WayIn.REST: frozenset({Outcome.NO_ANSWER, Outcome.UNAVAILABLE}),
            WayIn.THROUGH: frozenset({Outcome.DEADLINE_EXCEEDED, Outcome.UNAVAILABLE}),
        }
        return (
            Fault("a worker killed", killed, 0, cut),
            Fault("a worker paused", paused, 4, silent),
            # Its replacement is that of a rolling restart, which the short drill has.
            Fault("a worker leaks memory", leaks, 0, {}, quick=False),
        )
    cut = {WayIn.DIRECT: frozenset({Outcome.UNAVAILABLE})}
    late = frozenset({Outcome.DEADLINE_EXCEEDED, Outcome.UNAVAILABLE})
    return (
        Fault("a worker killed", killed, 0, cut),
        Fault("a worker paused", paused, 4, dict.fromkeys(WayIn, late)),
        Fault("a worker leaks memory", leaks, 0, cut),
    )
