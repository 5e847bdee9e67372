"""The issuer of tokens: away, and with other keys."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.drill.accounting import Outcome, WayIn
from tests.drill.fault import Fault
from tests.drill.world import World, drill_signer, long_token
from tests.support.auth.tokens import signer
from tests.support.server.deployments import Deployment

_NEW = signer("ES256", "drill-2")


@contextmanager
def away(world: World) -> Iterator[None]:
    """Answer nobody, and so have a new worker wait for its keys."""
    world.issuer.hangs()
    world.worker().kill()
    yield
    world.issuer.publishes(_NEW)


@contextmanager
def rotated(world: World) -> Iterator[None]:
    """Publish another key, have callers use it, and withdraw the one before."""
    world.issuer.publishes(drill_signer(), _NEW)
    world.token = long_token(_NEW)
    yield
    world.issuer.publishes(_NEW)


def faults(deployment: Deployment) -> Sequence[Fault]:
    """Return them; the keys stay the new ones."""
    unavailable = frozenset({Outcome.UNAVAILABLE})
    if deployment is Deployment.STANDALONE:
        killed = {WayIn.DIRECT: unavailable}
    else:
        killed = {WayIn.REST: frozenset({Outcome.CONNECTION_LOST}), WayIn.THROUGH: unavailable}
    return (
        Fault("the issuer's keys rotated", rotated, 2),
        Fault("the issuer away as a worker is killed", away, 4, killed),
    )
