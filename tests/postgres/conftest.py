import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop

from server.store.calls import StoredCalls
from tests.support.database.postgres import stored_calls
from tests.support.database.silent_proxy import SilentProxy

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
LOOPS_DIFFER_IN = ("test_prepared_select.py", "test_trouble.py")
"""Files of tests that lose connections, which each loop notices in its own way."""


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on the loop that the server runs on and, if it matters, on asyncio's own as well."""
    return LOOPS if item.path.name in LOOPS_DIFFER_IN else {"uvloop": uvloop.new_event_loop}


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
