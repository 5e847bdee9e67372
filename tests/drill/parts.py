"""The parts of the service that a drill breaks, each in a world of its own."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import astuple, dataclass
from pathlib import Path

from tests.drill.fault import Fault, Result, drill
from tests.drill.faults import (
    certificate,
    clock,
    database,
    gateway,
    introspection,
    issuer,
    log,
    network,
    own_certificate,
    restarts,
    room,
    stream,
    workers,
)
from tests.drill.world import Wiring, world_running
from tests.support.server.deployments import Deployment

_PLAIN = Wiring()


def _nothing(_: Path) -> AbstractContextManager[Mapping[str, str]]:
    return nullcontext({})


@dataclass(frozen=True)
class Part:
    """What is broken in one world, one fault after the other."""

    faults: Callable[[Deployment], Sequence[Fault]]
    around: Callable[[Path], AbstractContextManager[Mapping[str, str]]] = _nothing
    """Prepares the world's folder, and yields settings of the server and the gateway."""
    wiring: Wiring = _PLAIN


def _faults_of_processes(deployment: Deployment) -> Sequence[Fault]:
    modules = (workers, gateway, issuer, log, restarts)
    return [fault for module in modules for fault in module.faults(deployment)]


@contextmanager
def _around_processes(folder: Path) -> Iterator[Mapping[str, str]]:
    with log.small_disk(folder), workers.leaky(folder) as settings:
        yield settings


PARTS = {
    "database": Part(database.faults),
    "certificate": Part(certificate.faults, wiring=Wiring(pooled=True)),
    "own-certificate": Part(own_certificate.faults, wiring=Wiring(secured=True)),
    "introspection": Part(introspection.faults, wiring=Wiring(opaque=True)),
    "stream": Part(stream.faults),
    "processes": Part(_faults_of_processes, _around_processes),
    "servers": Part(restarts.faults_of_servers, restarts.drained, wiring=Wiring(two_servers=True)),
    "clock": Part(clock.faults, clock.movable),
    "network": Part(network.faults, wiring=Wiring(linked=True)),
    "room": Part(room.faults, room.little, wiring=Wiring(linked=True)),
}


def run(*names: str, deployment: Deployment, quick: bool = False) -> Iterator[Result]:
    """Inflict the faults of parts in one world, or those of a short drill; yield what callers saw."""
    parts = [PARTS[name] for name in names]
    faults = [fault for part in parts for fault in part.faults(deployment) if fault.quick or not quick]
    if not faults:
        return
    wiring = Wiring(*map(any, zip(*(astuple(part.wiring) for part in parts), strict=True)))
    with tempfile.TemporaryDirectory(prefix="livecalls-") as name, ExitStack() as stack:
        folder, settings = Path(name), dict[str, str]()
        for part in parts:
            settings |= stack.enter_context(part.around(folder))
        world = stack.enter_context(world_running(folder, deployment, wiring, **settings))
        for fault in faults:
            yield asyncio.run(drill(world, fault, quick=quick))
