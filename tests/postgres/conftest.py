from collections.abc import AsyncIterator

import pytest

from server.store.calls import StoredCalls
from tests.support.postgres import stored_calls
from tests.support.silent_proxy import SilentProxy


@pytest.fixture
async def calls(database_url: str) -> AsyncIterator[StoredCalls]:
    """The store under test, on a fresh database."""
    async with stored_calls(database_url) as calls:
        yield calls


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[SilentProxy]:
    proxy = SilentProxy(database_url)
    async with proxy.running():
        yield proxy
