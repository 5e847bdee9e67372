"""The errors of callers while PostgreSQL is in trouble, and the recovery after it."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from demo.postgres import EmbeddedPostgres
from server.application.errors import StoreUnavailableError
from server.store.calls import StoredCalls
from server.store.migrate import upgrade
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.database.postgres import away, execute, frozen, kill, role, store_call, stored_calls
from tests.support.database.silent_proxy import SilentProxy
from tests.support.database.trouble import (
    end_unread,
    in_time,
    is_found_again,
    locked,
    selects_under_way,
    suspended,
)

LONG_MS = 60_000


async def test_a_locked_table_is_told_by_the_statement_timeout(database_url: str) -> None:
    store_call(database_url)
    async with stored_calls(database_url, statement_timeout_ms=100, read_timeout_ms=LONG_MS) as calls:
        await is_found_again(calls)
        with locked(database_url), in_time():
            await calls.find(CALL_ID)
        await is_found_again(calls)


async def test_a_locked_table_is_told_by_the_read_timeout(database_url: str) -> None:
    store_call(database_url)
    async with stored_calls(database_url, statement_timeout_ms=LONG_MS, read_timeout_ms=200) as calls:
        await is_found_again(calls)
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
    async with stored_calls(
        database_url, read_timeout_ms=LONG_MS, statement_timeout_ms=LONG_MS
    ) as calls:
        with locked(database_url):
            leaving, staying = (asyncio.create_task(calls.find(CALL_ID)) for _ in range(2))
            await selects_under_way(database_url, 1)
            leaving.cancel()
            await asyncio.wait([leaving])
        assert await staying == PLAIN_CALL


async def test_a_server_that_hangs_is_told_in_time_and_heals(own_postgres: EmbeddedPostgres) -> None:
    store_call(own_postgres.url)
    async with stored_calls(own_postgres.url, read_timeout_ms=500) as calls:
        await is_found_again(calls)
        with frozen(own_postgres):
            for _ in range(2):  # on the connection there is, and on a new one
                with in_time():
                    await calls.find(CALL_ID)
        await is_found_again(calls)


async def test_a_network_that_swallows_everything_is_told_in_time_and_heals(
    database_url: str, proxy: SilentProxy
) -> None:
    store_call(database_url)
    async with stored_calls(proxy.url, read_timeout_ms=500, connect_timeout_ms=200) as calls:
        await is_found_again(calls)
        proxy.silent = True
        for _ in range(2):  # on the connection there is, and on a new one
            with in_time():
                await calls.find(CALL_ID)
        proxy.silent = False
        await is_found_again(calls)


async def test_no_socket_is_left_of_what_was_not_yet_connected(proxy: SilentProxy) -> None:
    proxy.silent = True
    async with stored_calls(proxy.url, read_timeout_ms=LONG_MS, connect_timeout_ms=100) as calls:
        with without_collector():
            for _ in range(3):
                with in_time():
                    await calls.find(CALL_ID)
            leaving = asyncio.create_task(calls.find(CALL_ID))
            await asyncio.sleep(0.05)
            leaving.cancel()
            await asyncio.wait([leaving])
            async with asyncio.timeout(5):
                await proxy.left()


@contextmanager
def without_collector() -> Iterator[None]:
    """Leave cycles of garbage alone while the block lasts, as the server does for long."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def test_a_server_that_is_away_is_told_at_once_and_heals(own_postgres: EmbeddedPostgres) -> None:
    store_call(own_postgres.url)
    async with stored_calls(own_postgres.url, read_timeout_ms=LONG_MS) as calls:
        await calls.find(CALL_ID)
        with away(own_postgres), in_time():
            await calls.find(CALL_ID)
        assert await calls.find(CALL_ID) == PLAIN_CALL


async def test_nobody_sees_a_restart_that_is_over(own_postgres: EmbeddedPostgres) -> None:
    store_call(own_postgres.url)
    async with stored_calls(own_postgres.url) as calls:
        await connect_all(own_postgres.url, calls, 4)
        with away(own_postgres):
            pass
        assert await asyncio.gather(*(calls.find(CALL_ID) for _ in range(8))) == [PLAIN_CALL] * 8
        for _ in range(8):
            assert await calls.find(CALL_ID) == PLAIN_CALL


async def test_nobody_sees_a_crash_that_is_over(own_postgres: EmbeddedPostgres) -> None:
    store_call(own_postgres.url)
    async with stored_calls(own_postgres.url) as calls:
        await connect_all(own_postgres.url, calls, 4)
        kill(own_postgres)
        own_postgres.ensure_running()
        for _ in range(8):
            assert await calls.find(CALL_ID) == PLAIN_CALL


async def test_nobody_sees_a_connection_that_is_ended_before_it_reads(database_url: str) -> None:
    store_call(database_url)
    async with stored_calls(database_url, read_timeout_ms=LONG_MS) as calls:
        await calls.find(CALL_ID)
        [(pid,)] = execute(database_url, BACKENDS)
        with suspended(pid):
            requests = [asyncio.create_task(calls.find(CALL_ID)) for _ in range(8)]
            await asyncio.sleep(0.1)
            end_unread(database_url, pid)
        async with asyncio.timeout(10):
            assert await asyncio.gather(*requests) == [PLAIN_CALL] * 8


async def test_nobody_sees_that_connections_are_ended_under_load(database_url: str) -> None:
    store_call(database_url)
    async with stored_calls(database_url, read_timeout_ms=LONG_MS) as calls:
        await calls.find(CALL_ID)
        for _ in range(10):
            requests = [asyncio.create_task(calls.find(CALL_ID)) for _ in range(96)]
            await asyncio.sleep(0)
            execute(database_url, END_BACKENDS)
            async with asyncio.timeout(10):
                assert await asyncio.gather(*requests) == [PLAIN_CALL] * 96


END_BACKENDS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'livecalls'
"""


async def connect_all(url: str, calls: StoredCalls, count: int) -> None:
    """Run as many concurrent SELECTs, so that there are as many connections."""
    requests = []
    with locked(url):
        for number in range(count):
            requests.append(asyncio.create_task(calls.find(CALL_ID)))
            await selects_under_way(url, number + 1)
    await asyncio.gather(*requests)


async def test_too_many_connections_are_told_and_heal(database_url: str) -> None:
    store_call(database_url)
    with role(database_url, "lonely", connections=1) as url:
        execute(database_url, "GRANT SELECT ON calls TO lonely")
        async with stored_calls(url) as calls:
            with psycopg.connect(url), in_time():
                await calls.find(CALL_ID)
            await is_found_again(calls)


async def test_a_table_that_changed_under_a_kept_connection_is_read(
    database_url: str, calls: StoredCalls
) -> None:
    store_call(database_url)
    for _ in range(10):  # by then the driver has prepared the statement
        await calls.find(CALL_ID)
    execute(database_url, "ALTER TABLE calls ALTER COLUMN title TYPE varchar")
    assert await calls.find(CALL_ID) == PLAIN_CALL


async def test_a_schema_that_is_not_migrated_is_as_good_as_away(
    empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with stored_calls(empty_database_url) as calls:
        results = await asyncio.gather(*(calls.find(CALL_ID) for _ in range(3)), return_exceptions=True)
        assert [type(result) for result in results] == [StoreUnavailableError] * 3
        [record] = [record for record in caplog.records if record.name == "server.store"]
        assert "run `python -m server migrate`" in record.message
        assert record.exc_info is None
        upgrade(empty_database_url)
        store_call(empty_database_url)
        assert await calls.find(CALL_ID) == PLAIN_CALL
