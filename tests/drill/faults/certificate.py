"""The certificate of the database's TLS: expired."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.drill.accounting import Outcome
from tests.drill.fault import Fault, on_all_ways
from tests.drill.faults.database import end_connections
from tests.drill.world import World
from tests.support.server.deployments import Deployment


@contextmanager
def expired(world: World) -> Iterator[None]:
    """Show an expired one, to connections that are made anew."""
    assert world.pooler
    world.pooler.show(days=0)
    end_connections(world)
    yield
    world.pooler.show(days=30)


def faults(_: Deployment) -> Sequence[Fault]:
    """Return the one."""
    unavailable = on_all_ways(Outcome.UNAVAILABLE)
    felt = (Outcome.UNAVAILABLE,)
    return (Fault("the database's TLS certificate expired", expired, 2, unavailable, felt),)
