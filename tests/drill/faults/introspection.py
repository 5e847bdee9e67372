"""The issuer of opaque tokens: away, and slow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.drill.accounting import Outcome
from tests.drill.fault import Fault, on_all_ways
from tests.drill.world import World
from tests.support.server.deployments import Deployment


@contextmanager
def away(world: World) -> Iterator[None]:
    """Close each connection of the server's instead of responding."""
    assert world.introspection
    world.introspection.hangs_up()
    yield
    world.introspection.is_well()


@contextmanager
def slow(world: World) -> Iterator[None]:
    """Take 300 ms for each response, which callers wait for."""
    assert world.introspection
    world.introspection.takes = 0.3
    yield
    world.introspection.takes = 0.0


def faults(_: Deployment) -> Sequence[Fault]:
    """Return them; what the issuer has said of a token is used for a second."""
    unavailable = on_all_ways(Outcome.UNAVAILABLE)
    felt = (Outcome.UNAVAILABLE,)
    return (
        Fault("the issuer of opaque tokens away", away, 3, unavailable, felt),
        Fault("the issuer of opaque tokens slow", slow, 3),
    )
