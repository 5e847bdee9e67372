"""What callers are told while PostgreSQL is in trouble, and that all is well again after it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import monotonic
from urllib.parse import urlsplit

import psycopg
import pytest

from server.application.errors import StoreUnavailableError
from server.demo.postgres import EmbeddedPostgres
from server.store.calls import StoredCalls
from tests.support.calls import CALL_ID, PLAIN_CALL
from tests.support.postgres import away, execute, frozen, store_call, stored_calls
from tests.support.silent_proxy import SilentProxy, silent_proxy

SPEC_SECONDS = 2.0
LONG_MS = 60_000


@contextmanager
def in_time() -> Iterator[None]:
    """Hold that the block ends with StoreUnavailableError, as soon as the issue asks for."""
    begun = monotonic()
    with pytest.raises(StoreUnavailableError):
        yield
    assert monotonic() - begun < SPEC_SECONDS


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Let nobody read the table while the block lasts."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
        yield


async def is_found_again(calls: StoredCalls) -> None:
    """Hold that the call is found soon, without anything being done for it."""
    async with asyncio.timeout(10):
        while True:
            try:
                assert await calls.find(CALL_ID) == PLAIN_CALL
            except StoreUnavailableError:
                await asyncio.sleep(0.01)
            else:
                return


async def selects_under_way(url: str, count: int) -> None:
    """Wait until so many SELECTs are under way, or waiting for a lock."""
    active = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
        "AND datname = current_database() AND query LIKE 'SELECT calls.%'"
    )
    async with asyncio.timeout(10):
        while execute(url, active) != [(count,)]:
            await asyncio.sleep(0.01)


async def test_a_locked_table_is_told_by_the_statement_timeout(database_url: str) -> None:
    store_call(database_url)
    async with stored_calls(database_url, statement_timeout_ms=100, read_timeout_ms=LONG_MS) as calls:
        await calls.find(CALL_ID)
        with locked(database_url), in_time():
            await calls.find(CALL_ID)
        assert await calls.find(CALL_ID) == PLAIN_CALL


async def test_a_locked_table_is_told_by_the_read_timeout(database_url: str) -> None:
    store_call(database_url)
    async with stored_calls(database_url, statement_timeout_ms=LONG_MS, read_timeout_ms=200) as calls:
        await calls.find(CALL_ID)
        with locked(database_url):
            with in_time():
                await calls.find(CALL_ID)
            await selects_under_way(database_url, 0)
        await is_found_again(calls)


async def test_with_all_connections_busy_a_request_waits_only_so_long(database_url: str) -> None:
    store_call(database_url)
    settings = {"statement_timeout_ms": LONG_MS, "read_timeout_ms": 500, "pool_size": 1}
    async with stored_calls(database_url, **settings) as calls:
        with locked(database_url):
            busy = asyncio.create_task(calls.find(CALL_ID))
            await selects_under_way(database_url, 1)
            with in_time():
                await calls.find(CALL_ID)
            with pytest.raises(StoreUnavailableError):
                await busy
        await is_found_again(calls)


async def test_a_select_whose_callers_left_is_cancelled_and_its_connection_kept(
    database_url: str,
) -> None:
    store_call(database_url)
    settings = {"statement_timeout_ms": LONG_MS, "read_timeout_ms": LONG_MS, "pool_size": 1}
    async with stored_calls(database_url, **settings) as calls:
        await calls.find(CALL_ID)
        backends = execute(database_url, BACKENDS)
        with locked(database_url):
            leaving = asyncio.create_task(calls.find(CALL_ID))
            await selects_under_way(database_url, 1)
            leaving.cancel()
            await asyncio.wait([leaving])
            await selects_under_way(database_url, 0)
        assert await calls.find(CALL_ID) == PLAIN_CALL
        assert execute(database_url, BACKENDS) == backends


BACKENDS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'livecalls' ORDER BY pid
"""


async def test_a_cancelled_caller_does_not_disturb_the_others(database_url: str) -> None:
    store_call(database_url)
    async with stored_calls(database_url, read_timeout_ms=LONG_MS, statement_timeout_ms=LONG_MS) as calls:
        with locked(database_url):
            leaving, staying = (asyncio.create_task(calls.find(CALL_ID)) for _ in range(2))
            await selects_under_way(database_url, 1)
            leaving.cancel()
            await asyncio.wait([leaving])
        assert await staying == PLAIN_CALL


async def test_a_server_that_hangs_is_told_in_time_and_heals(own_postgres: EmbeddedPostgres) -> None:
    store_call(own_postgres.url)
    async with stored_calls(own_postgres.url, read_timeout_ms=500) as calls:
        await calls.find(CALL_ID)
        with frozen(own_postgres):
            for _ in range(2):  # on the connection there is, and on a new one
                with in_time():
                    await calls.find(CALL_ID)
        await is_found_again(calls)


async def test_a_network_that_swallows_everything_is_told_in_time_and_heals(
    database_url: str, proxy: SilentProxy
) -> None:
    store_call(database_url)
    async with stored_calls(proxy.url, read_timeout_ms=500) as calls:
        await calls.find(CALL_ID)
        proxy.silent = True
        for _ in range(2):
            with in_time():
                await calls.find(CALL_ID)
        proxy.silent = False
        await is_found_again(calls)
