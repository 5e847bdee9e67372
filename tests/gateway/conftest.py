from collections.abc import Iterator

import pytest

from tests.support.data.sample_replies import sample_replies
from tests.support.envoy.forwarding import gateway_forwarding
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.stand_ins.upstream import Upstream, upstream_running

ALLOWED_ORIGIN = "https://app.example.com"


@pytest.fixture(scope="session")
def running_upstream() -> Iterator[Upstream]:
    with upstream_running() as upstream:
        yield upstream


@pytest.fixture
def upstream(running_upstream: Upstream) -> Upstream:
    """A gRPC server that the test scripts."""
    running_upstream.reset()
    return running_upstream


@pytest.fixture(scope="session")
def standalone(
    running_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """An Envoy in front of the upstream."""
    folder = tmp_path_factory.mktemp("standalone")
    with gateway_running(running_upstream.port, folder, CORS_ORIGINS=ALLOWED_ORIGIN) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def embedded(running_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """An Envoy with an embedded server that forwards to the upstream."""
    folder = tmp_path_factory.mktemp("embedded")
    with gateway_forwarding(running_upstream.port, folder, CORS_ORIGINS=ALLOWED_ORIGIN) as gateway:
        yield gateway


@pytest.fixture(scope="session", params=["standalone", "embedded"])
def gateway(request: pytest.FixtureRequest) -> Gateway:
    """Each of the two in turn."""
    gateway: Gateway = request.getfixturevalue(request.param)
    return gateway


@pytest.fixture
def rest_url(gateway: Gateway, upstream: Upstream) -> str:
    """The REST URL that serves the sample calls."""
    upstream.serves(sample_replies())
    return gateway.url
