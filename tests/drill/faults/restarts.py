"""Rolling restarts: the workers are replaced one after the other, or two servers restarted by turns."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from demo.readiness import wait_until
from tests.drill.accounting import Outcome, WayIn
from tests.drill.fault import Fault, Inflict
from tests.drill.world import WORKERS, World
from tests.support.server.deployments import Deployment

# gRPC fails requests that come as a server stops, a few of them as cancelled: callers without an Envoy
# between retry them.
_DIRECT = {WayIn.DIRECT: frozenset({Outcome.UNAVAILABLE, Outcome.CANCELLED})}


@contextmanager
def drained(_: Path) -> Iterator[Mapping[str, str]]:
    """Yield the settings of servers that report their end before it comes, as those in deploy/ do."""
    yield {"DRAIN_DELAY_MS": "5000"}


def _restart(times: int) -> Inflict:
    @contextmanager
    def restart(world: World) -> Iterator[None]:
        for _ in range(times):
            done = len(world.server.logged("worker replaced")) + WORKERS
            world.server.process.send_signal(signal.SIGHUP)
            if not wait_until(lambda: len(world.server.logged("worker replaced")) == done, 60):  # noqa: B023
                raise AssertionError("the workers are not replaced")
        yield

    return restart


def _restart_servers(times: int) -> Inflict:
    @contextmanager
    def restart(world: World) -> Iterator[None]:
        gateway, second = world.gateway, world.second
        assert gateway
        assert second
        for server in (world.server, second) * times:
            server.stop()
            server.start()
            if not wait_until(lambda: gateway.healthy_servers() == WORKERS, 20):
                raise AssertionError("the gateway does not find both servers healthy")
        yield

    return restart


def faults(_: Deployment) -> Sequence[Fault]:
    """Return a restart of the workers, and ten under more load."""
    return (
        Fault("a rolling restart", _restart(1), 0, _DIRECT),
        Fault("ten rolling restarts", _restart(10), 0, _DIRECT, per_second=500, quick=False),
    )


def faults_of_servers(deployment: Deployment) -> Sequence[Fault]:
    """Return the same of two servers behind one gateway."""
    if deployment is Deployment.EMBEDDED:
        return ()
    return (
        Fault("two servers restarted by turns", _restart_servers(1), 0, _DIRECT, quick=False),
        Fault(
            "two servers restarted by turns ten times",
            _restart_servers(10),
            0,
            _DIRECT,
            per_second=500,
            quick=False,
        ),
    )
