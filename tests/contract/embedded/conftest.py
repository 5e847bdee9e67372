from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from tests.support.envoy.embedded import EmbeddedService, embedded_running


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[EmbeddedService]:
    async with embedded_running(tmp_path) as embedded:
        yield embedded


@pytest.fixture
async def channel(embedded: EmbeddedService) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(embedded.address) as channel:
        yield channel
