from collections.abc import AsyncIterator

import pytest

from server.store.calls import StoredCalls
from tests.support.postgres import stored_calls


@pytest.fixture
async def calls(database_url: str) -> AsyncIterator[StoredCalls]:
    """The store under test, on a fresh database."""
    async with stored_calls(database_url) as calls:
        yield calls
