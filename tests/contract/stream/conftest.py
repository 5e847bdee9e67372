"""The real SDK, with requests to the stand-in over HTTP."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from getstream import AsyncStream

from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.client import StreamClient
from tests.support.stand_ins.stream import KEY, SECRET, SIGNED, stream_settings


@pytest.fixture
async def sdk(stream_url: str) -> AsyncIterator[Any]:
    async with AsyncStream(api_key=KEY, api_secret=SECRET, base_url=stream_url) as sdk:
        yield sdk


@pytest.fixture
def http(stream_url: str) -> httpx.Client:
    return httpx.Client(base_url=stream_url)


@pytest.fixture
def signed(stream_url: str) -> Iterator[httpx.Client]:
    """Stream's authentication with every request."""
    with httpx.Client(base_url=stream_url, headers=SIGNED, params={"api_key": KEY}) as signed:
        yield signed


@pytest.fixture
async def client(stream_url: str) -> AsyncIterator[StreamClient]:
    client = StreamClient(stream_settings(stream_url))
    yield client
    await client.aclose()


@pytest.fixture
async def best_effort(stream_url: str) -> AsyncIterator[BestEffort]:
    """As it is configured by default."""
    settings = stream_settings(stream_url)
    best_effort = BestEffort(StreamClient(settings), settings)
    yield best_effort
    await best_effort.aclose()


@pytest.fixture
async def patient(stream_url: str) -> AsyncIterator[BestEffort]:
    """For requests that must succeed on a busy machine too."""
    settings = stream_settings(stream_url, timeout_ms=5000)
    patient = BestEffort(StreamClient(settings), settings)
    yield patient
    await patient.aclose()
