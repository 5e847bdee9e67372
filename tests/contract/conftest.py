from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.auth.introspected import introspected_service
from tests.support.envoy.bridge import bridging_gateway
from tests.support.machine.clock import Clock
from tests.support.network.certificates import Authority
from tests.support.server.service import Deployment, Embedded, Service, Standalone, scripted_service
from tests.support.stand_ins.introspection_server import IntrospectionServer
from tests.support.stand_ins.key_server import KeyServer


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """An Envoy that can embed a test's server."""
    folder = tmp_path_factory.mktemp("embedded")
    with bridging_gateway(folder, RATE_LIMIT_PER_SECOND="0", REFLECTION="on") as gateway:
        yield Embedded(gateway, folder)


@pytest.fixture(params=["standalone", "embedded"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """Each way to serve in turn."""
    return Standalone() if request.param == "standalone" else request.getfixturevalue("embedded")


@pytest.fixture
async def service(deployment: Deployment) -> AsyncIterator[Service]:
    async with scripted_service(deployment) as service:
        yield service


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def introspected(
    deployment: Deployment, introspection_server: IntrospectionServer, clock: Clock
) -> AsyncIterator[Service]:
    """The service with opaque tokens, for which only the clock of the test ages answers."""
    async with introspected_service(deployment, introspection_server.url, clock=clock) as service:
        yield service


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def issuer(authority: Authority) -> Iterator[KeyServer]:
    """A key server by TLS, also under a name that only a proxy can know."""
    server = KeyServer()
    certificate = authority.issue("issuer", "issuer.test", "127.0.0.1")
    with server.running(certificate.server_context()):
        yield server
