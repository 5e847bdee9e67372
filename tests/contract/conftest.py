from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.bridge import bridging_gateway
from tests.support.service import Beside, Inside, Service, Way, scripted_service


@pytest.fixture(scope="session")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """An Envoy that can embed a test's server."""
    folder = tmp_path_factory.mktemp("inside")
    with bridging_gateway(folder, RATE_LIMIT_PER_SECOND="0", REFLECTION="on") as gateway:
        yield Inside(gateway, folder)


@pytest.fixture(params=["beside", "inside"])
def way(request: pytest.FixtureRequest) -> Way:
    """Each way to serve in turn."""
    return Beside() if request.param == "beside" else request.getfixturevalue("inside")


@pytest.fixture
async def service(way: Way) -> AsyncIterator[Service]:
    async with scripted_service(way) as service:
        yield service
