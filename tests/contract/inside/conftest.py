from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from tests.support.inside import Inside, inside_running


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Inside]:
    async with inside_running(tmp_path) as inside:
        yield inside


@pytest.fixture
async def channel(inside: Inside) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(inside.address) as channel:
        yield channel
