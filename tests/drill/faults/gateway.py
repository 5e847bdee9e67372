"""The standalone gateway's Envoy: killed, and paused."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.drill.accounting import Outcome, WayIn
from tests.drill.fault import Fault
from tests.drill.standalone_gateway import StandaloneGateway
from tests.drill.world import World
from tests.support.server.deployments import Deployment


@contextmanager
def killed(world: World) -> Iterator[None]:
    """Kill it; as whoever runs it does, start it again at once."""
    gateway = _gateway(world)
    gateway.envoy().kill()
    gateway.process.wait(10)
    gateway.launch()
    yield


@contextmanager
def paused(world: World) -> Iterator[None]:
    envoy = _gateway(world).envoy()
    envoy.suspend()
    yield
    envoy.resume()


def _gateway(world: World) -> StandaloneGateway:
    assert world.gateway
    return world.gateway


def faults(deployment: Deployment) -> Sequence[Fault]:
    """Return them; embedded, Envoy is what `workers.py` breaks."""
    if deployment is Deployment.EMBEDDED:
        return ()
    gone = {WayIn.REST: Outcome.CONNECTION_LOST, WayIn.THROUGH: Outcome.UNAVAILABLE}
    silent = {
        WayIn.REST: frozenset({Outcome.NO_ANSWER, Outcome.DEADLINE_EXCEEDED}),
        WayIn.THROUGH: frozenset({Outcome.DEADLINE_EXCEEDED, Outcome.UNAVAILABLE}),
    }
    return (
        Fault(
            "Envoy killed",
            killed,
            0,
            {way_in: frozenset({outcome}) for way_in, outcome in gone.items()},
            (Outcome.UNAVAILABLE,),
        ),
        Fault("Envoy paused", paused, 4, silent),
    )
