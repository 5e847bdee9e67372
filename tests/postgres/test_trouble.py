"""What callers are told while PostgreSQL is in trouble, and that all is well again after it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from time import monotonic

import psycopg
import pytest

from server.application.errors import StoreUnavailableError
from server.demo.postgres import EmbeddedPostgres
from server.store.calls import StoredCalls
from tests.support.calls import CALL_ID, PLAIN_CALL
from tests.support.postgres import away, becomes, execute, frozen, kill, store_call, stored_calls
from tests.support.silent_proxy import SilentProxy

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
    await becomes(url, active, (count,))


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
        await calls.find(CALL_ID)
        with frozen(own_postgres):
            for _ in range(2):  # on the connection there is, and on a new one
                with in_time():
                    await calls.find(CALL_ID)
        await is_found_again(calls)


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[SilentProxy]:
    proxy = SilentProxy(database_url)
    async with proxy.running():
        yield proxy


async def test_a_network_that_swallows_everything_is_told_in_time_and_heals(
    database_url: str, proxy: SilentProxy
) -> None:
    store_call(database_url)
    async with stored_calls(proxy.url, read_timeout_ms=500, connect_timeout_ms=200) as calls:
        await calls.find(CALL_ID)
        proxy.silent = True
        for _ in range(2):  # on the connection there is, and on a new one
            with in_time():
                await calls.find(CALL_ID)
        proxy.silent = False
        await is_found_again(calls)


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


async def connect_all(url: str, calls: StoredCalls, count: int) -> None:
    """Have as many SELECTs at once, so that there are as many connections."""
    requests = []
    with locked(url):
        for number in range(count):
            requests.append(asyncio.create_task(calls.find(CALL_ID)))
            await selects_under_way(url, number + 1)
    await asyncio.gather(*requests)


async def test_too_many_connections_are_told_and_heal(database_url: str) -> None:
    store_call(database_url)
    execute(database_url, "CREATE ROLE lonely LOGIN CONNECTION LIMIT 1")
    execute(database_url, "GRANT SELECT ON calls TO lonely")
    url = database_url.replace("postgres@", "lonely@")
    try:
        async with stored_calls(url) as calls:
            with psycopg.connect(url), in_time():
                await calls.find(CALL_ID)
            await is_found_again(calls)
    finally:
        execute(database_url, "DROP OWNED BY lonely; DROP ROLE lonely")


async def test_a_table_that_changed_under_a_kept_connection_is_read(
    database_url: str, calls: StoredCalls
) -> None:
    store_call(database_url)
    for _ in range(10):  # by then the driver has prepared the statement
        await calls.find(CALL_ID)
    execute(database_url, "ALTER TABLE calls ALTER COLUMN title TYPE varchar")
    assert await calls.find(CALL_ID) == PLAIN_CALL


async def test_a_missing_table_is_a_fault_that_everyone_is_told_of(empty_database_url: str) -> None:
    async with stored_calls(empty_database_url) as calls:
        results = await asyncio.gather(*(calls.find(CALL_ID) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [psycopg.errors.UndefinedTable] * 3


async def test_trouble_is_logged_once_a_select_and_without_the_password(
    database_url: str, proxy: SilentProxy, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.silent = True
    async with stored_calls(proxy.url, connect_timeout_ms=100) as calls:
        await asyncio.gather(*(calls.find(CALL_ID) for _ in range(20)), return_exceptions=True)
    records = [record for record in caplog.records if record.name == "server.store"]
    assert [(record.message, vars(record)["reason"]) for record in records] == [
        ("the calls cannot be read", "ConnectionTimeout")
    ]
    assert "hunter2" not in "".join(str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("/test_", "/no_test_"), 'FATAL:  database "no_test_'),
        (("postgres@", "nobody:hunter2@"), 'FATAL:  role "nobody" does not exist'),
    ],
)
async def test_the_log_says_why_there_is_no_connection(
    database_url: str, caplog: pytest.LogCaptureFixture, change: tuple[str, str], said: str
) -> None:
    async with stored_calls(database_url.replace(*change)) as calls:
        with in_time():
            await calls.find(CALL_ID)
    [record] = [record for record in caplog.records if record.name == "server.store"]
    assert vars(record)["said"].startswith(said)
    assert "hunter2" not in str(vars(record))


async def test_the_end_of_a_password_that_is_taken_for_the_host_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with stored_calls("postgresql://user:hun@ter2@localhost/calls") as calls:
        with in_time():
            await calls.find(CALL_ID)
    [record] = [record for record in caplog.records if record.name == "server.store"]
    assert "ter2" not in str(vars(record))


async def test_the_log_names_the_error_of_a_statement(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with stored_calls(database_url, statement_timeout_ms=100) as calls:
        with locked(database_url), in_time():
            await calls.find(CALL_ID)
    [record] = [record for record in caplog.records if record.name == "server.store"]
    assert (vars(record)["reason"], vars(record)["sqlstate"]) == ("QueryCanceled", "57014")
