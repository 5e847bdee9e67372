"""The certificate that callers are shown: it ends soon."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.drill.fault import Fault
from tests.drill.world import World, tls_settings
from tests.support.server.deployments import Deployment


@contextmanager
def ends_soon(world: World) -> Iterator[None]:
    """Put one in its place that ends within two days, and then one that is good for a month."""
    assert world.authority
    tls_settings(world.authority, world.deployment, days=2)
    yield
    tls_settings(world.authority, world.deployment)


def faults(_: Deployment) -> Sequence[Fault]:
    """Return the one: no caller may notice it."""
    alerts = ("LiveCallsCertificateEnding",)
    return (Fault("the gateway's certificate ends in two days", ends_soon, 2, alerts=alerts),)
