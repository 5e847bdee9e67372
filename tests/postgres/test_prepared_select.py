"""One SELECT on a connection of its own: long parameters, being cancelled, and losing the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from demo.postgres import EmbeddedPostgres
from server.store.prepared_select import PreparedSelect, Row
from tests.support.database.postgres import away, frozen
from tests.support.database.trouble import end_unread, locked, selects_under_way, suspended

ECHO = "SELECT $1::text"
SLOW_ECHO = "SELECT $1::text FROM pg_sleep(60)"
MEGABYTES = "x" * 20_000_000
SOON_SECONDS = 5


@asynccontextmanager
async def prepared(url: str, statement: str = ECHO) -> AsyncIterator[PreparedSelect]:
    select = PreparedSelect(await connected(url), statement, {})
    try:
        yield select
    finally:
        await select.aclose()


async def connected(url: str) -> psycopg.AsyncConnection[Row]:
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def begun(select: PreparedSelect, parameter: str = "a") -> "asyncio.Task[list[Row]]":
    """Begin a read, and let it come as far as it can."""
    asking = asyncio.create_task(select.rows(parameter))
    await asyncio.sleep(0.1)
    assert not asking.done()
    return asking


async def test_it_is_asked_again_and_again(database_url: str) -> None:
    async with prepared(database_url) as select:
        for text in ("a", "", "ä"):
            assert await select.rows(text) == [(text,)]


async def test_what_the_socket_does_not_take_at_once_is_sent_later(
    own_postgres: EmbeddedPostgres,
) -> None:
    async with prepared(own_postgres.url) as select:
        await select.rows("a")
        with frozen(own_postgres):
            asking = await begun(select, MEGABYTES)
        assert await asking == [(MEGABYTES,)]
        assert await select.rows("b") == [("b",)]


async def test_a_server_that_goes_while_a_long_parameter_is_sent_is_an_error(
    own_postgres: EmbeddedPostgres,
) -> None:
    async with prepared(own_postgres.url) as select:
        await select.rows("a")
        with frozen(own_postgres):
            asking = await begun(select, MEGABYTES)
        with away(own_postgres), pytest.raises(psycopg.OperationalError):
            await asking
        assert select.closed


async def test_a_server_that_goes_is_noticed_without_asking(own_postgres: EmbeddedPostgres) -> None:
    async with prepared(own_postgres.url) as select:
        await select.rows("a")
        with away(own_postgres):
            await asyncio.sleep(0.1)
            assert select.closed
            with pytest.raises(psycopg.OperationalError):
                await select.rows("b")


async def test_a_connection_that_is_ended_before_it_reads_is_noticed(database_url: str) -> None:
    connection = await connected(database_url)
    select = PreparedSelect(connection, ECHO, {})
    await select.rows("a")
    with suspended(connection.info.backend_pid):
        asking = await begun(select)
        end_unread(database_url, connection.info.backend_pid)
    async with asyncio.timeout(SOON_SECONDS):
        with pytest.raises(psycopg.OperationalError):
            await asking
    assert select.closed
    await select.aclose()


async def test_cancelled_once_it_is_asked_again(database_url: str) -> None:
    async with prepared(database_url, SLOW_ECHO) as select:
        asking = await begun(select)
        asking.cancel()
        async with asyncio.timeout(SOON_SECONDS):
            await asyncio.wait([asking])
        assert asking.cancelled()
        assert select.usable
        asking = await begun(select)
        asking.cancel()
        await asyncio.wait([asking])
        assert select.usable


async def test_cancelled_twice_it_is_of_no_use_any_more(own_postgres: EmbeddedPostgres) -> None:
    async with prepared(own_postgres.url) as select:
        await select.rows("a")
        with frozen(own_postgres):
            asking = await begun(select)
            for _ in range(2):
                asking.cancel()
                await asyncio.sleep(0.1)
            assert asking.cancelled()
            assert not select.usable


@pytest.mark.parametrize("times_before", [0, 1, 2])
async def test_cancelled_whenever_it_is_asked_again(database_url: str, times_before: int) -> None:
    """Before its first result, while it is prepared, and once it is."""
    statement = "SELECT CAST(calls.id AS TEXT) FROM calls WHERE title = $1"
    async with prepared(database_url, statement) as select:
        for _ in range(times_before):
            assert await select.rows("a") == []
        with locked(database_url):
            asking = await begun(select)
            await selects_under_way(database_url, 1)
            asking.cancel()
            async with asyncio.timeout(SOON_SECONDS):
                await asyncio.wait([asking])
        for _ in range(3):
            assert await select.rows("a") == []


async def test_an_error_whenever_it_comes_leaves_it_usable(database_url: str) -> None:
    for times_before in range(3):
        async with prepared(database_url, "SELECT 1 / $1::int") as select:
            for _ in range(times_before):
                await select.rows("1")
            for _ in range(2):
                with pytest.raises(psycopg.errors.DivisionByZero):
                    await select.rows("0")
            assert await select.rows("1") == [(1,)]


async def test_what_is_relied_on_is_set_for_the_session_even_if_the_select_fails_meanwhile(
    database_url: str,
) -> None:
    connection = await connected(database_url)
    statement = "SELECT current_setting('work_mem') FROM (SELECT 1 / $1::int) AS divided(number)"
    select = PreparedSelect(connection, f"{statement} WHERE number > 0", {"work_mem": "77kB"})
    assert await select.rows("1") == [("77kB",)]
    with pytest.raises(psycopg.errors.DivisionByZero):
        await select.rows("0")
    assert await select.rows("1") == [("77kB",)]
    assert await select.rows("1") == [("77kB",)]
    await select.aclose()


async def test_one_that_lost_its_server_leaves_the_socket_of_another_alone(
    own_postgres: EmbeddedPostgres, database_url: str
) -> None:
    first = await connected(own_postgres.url)
    lost, number = PreparedSelect(first, ECHO, {}), first.fileno()
    with away(own_postgres):
        await asyncio.sleep(0.1)
    second = await connected(database_url)
    assert second.fileno() == number
    other = PreparedSelect(second, ECHO, {})
    await lost.aclose()
    async with asyncio.timeout(SOON_SECONDS):
        assert await other.rows("a") == [("a",)]
    await other.aclose()
