from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from tests.support.envoy.embedded import EmbeddedService, embedded_running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def envoy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedService]:
    async with embedded_running(tmp_path_factory.mktemp("envoy")) as envoy:
        yield envoy


@pytest.fixture
def embedded(envoy: EmbeddedService) -> EmbeddedService:
    """The Envoy of all tests, with the log of this one."""
    return envoy.from_now()


@pytest.fixture
async def channel(embedded: EmbeddedService) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(embedded.address) as channel:
        yield channel
