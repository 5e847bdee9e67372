"""The issuer of tokens: away, and with other keys."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus

from demo.readiness import wait_until
from tests.drill.accounting import Outcome, WayIn
from tests.drill.fault import Fault
from tests.drill.world import World, drill_signer, long_token
from tests.support.auth.tokens import bearer, signer
from tests.support.callers.rest import ask
from tests.support.server.deployments import Deployment

_NEW = signer("ES256", "drill-2")
_KNOWN_WITHIN_SECONDS = 20.0


@contextmanager
def away(world: World) -> Iterator[None]:
    """Answer nobody, and so have a new worker wait for its keys."""
    world.issuer.hangs()
    world.worker().kill()
    yield
    world.issuer.publishes(_NEW)


@contextmanager
def rotated(world: World) -> Iterator[None]:
    """Publish another key, have callers use it, and withdraw the one before once all workers know it."""
    reads = world.issuer.requests + int(world.server.environment["WORKERS"])
    world.issuer.publishes(drill_signer(), _NEW)
    world.token = long_token(_NEW)
    yield
    assert wait_until(partial(_have_read, world, reads), _KNOWN_WITHIN_SECONDS)
    world.issuer.publishes(_NEW)


def _have_read(world: World, reads: int) -> bool:
    """Ask on a new connection, for all of the callers' may lead to one worker; return if all know."""
    path, headers = f"/v1/live/calls/{world.truth.rows[0].id}", bearer(world.token)
    reply = ask(f"http://{world.addresses[WayIn.REST]}", "GET", path, headers)
    return reply.status == HTTPStatus.OK and world.issuer.requests >= reads


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
