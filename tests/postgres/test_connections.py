"""The server's connections: how old they get, and which reads are retried."""

import asyncio
from collections.abc import Iterator

import pytest

from demo.postgres import EmbeddedPostgres
from server.application.errors import StoreUnavailableError
from server.store.bulk import all_calls
from server.store.calls import StoredCalls
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.database.postgres import (
    becomes,
    execute,
    make_standby,
    role,
    store_call,
    stored_calls,
)
from tests.support.database.trouble import locked, selects_under_way

BACKENDS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'livecalls' ORDER BY pid
"""
PATIENT = {"statement_timeout_ms": 60_000, "read_timeout_ms": 60_000, "connect_timeout_ms": 60_000}
END_WAITING = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
# A view in the table's place, whose reading fails so many times.
CONFLICTING = """
ALTER TABLE calls RENAME TO real_calls;
CREATE SEQUENCE conflicts;
CREATE FUNCTION conflict() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('conflicts') <= {} THEN
        RAISE EXCEPTION 'canceling statement due to conflict with recovery' USING ERRCODE = '{}';
    END IF;
    RETURN true;
END
$$;
CREATE VIEW calls AS SELECT * FROM real_calls WHERE conflict()
"""


async def test_a_connection_is_kept_until_its_age(database_url: str) -> None:
    async with stored_calls(database_url) as calls:
        await calls.find(CALL_ID)
        backends = execute(database_url, BACKENDS)
        for _ in range(20):
            await calls.find(CALL_ID)
        assert execute(database_url, BACKENDS) == backends


async def test_beyond_its_age_another_takes_its_place_with_the_role_s_new_settings(
    database_url: str,
) -> None:
    store_call(database_url)
    [(name,)] = execute(database_url, "SELECT current_database()")
    async with stored_calls(database_url, max_connection_age_ms=1) as calls:
        await calls.find(CALL_ID)
        [(before,)] = execute(database_url, BACKENDS)
        execute(database_url, f"ALTER DATABASE {name} SET search_path TO nowhere")
        async with asyncio.timeout(10):
            with pytest.raises(StoreUnavailableError):
                await read_on(calls)
        execute(database_url, f"ALTER DATABASE {name} RESET search_path")
        await becomes(database_url, f"SELECT pid FROM pg_stat_activity WHERE pid = {before}")


async def test_no_more_are_kept_if_one_is_lost_whose_place_another_has_taken(database_url: str) -> None:
    store_call(database_url)
    async with stored_calls(database_url, pool_size=1, max_connection_age_ms=1, **PATIENT) as calls:
        await calls.find(CALL_ID)
        for _ in range(3):
            with locked(database_url):
                asked = asyncio.create_task(calls.find(CALL_ID))
                await selects_under_way(database_url, 1)
                await becomes(database_url, f"SELECT count(*) FROM ({BACKENDS}) AS backends", (2,))
                execute(database_url, END_WAITING)
            assert await asked == PLAIN_CALL
        await becomes(database_url, f"SELECT count(*) FROM ({BACKENDS}) AS backends", (1,))


async def read_on(calls: StoredCalls) -> None:
    while True:
        assert await calls.find(CALL_ID) == PLAIN_CALL


@pytest.fixture
def alone_url(database_url: str) -> Iterator[str]:
    """The database, by a role that may connect once."""
    with role(database_url, "alone", connections=1) as url:
        execute(database_url, "GRANT SELECT ON calls TO alone")
        yield url


async def test_one_that_cannot_be_renewed_goes_on(
    database_url: str, alone_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store_call(database_url)
    async with stored_calls(alone_url, max_connection_age_ms=1) as calls:
        while not caplog.records:
            assert await calls.find(CALL_ID) == PLAIN_CALL
            await asyncio.sleep(0.002)
        assert caplog.records[0].message == "a connection cannot be renewed"


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
async def test_nobody_sees_one_conflict(database_url: str, sqlstate: str) -> None:
    store_call(database_url)
    execute(database_url, CONFLICTING.format(1, sqlstate))
    async with stored_calls(database_url) as calls:
        assert await calls.find(CALL_ID) == PLAIN_CALL
        assert len(execute(database_url, BACKENDS)) == 1


async def test_conflicts_are_asked_once_more_only(database_url: str) -> None:
    store_call(database_url)
    execute(database_url, CONFLICTING.format(2, "40001"))
    async with stored_calls(database_url) as calls:
        with pytest.raises(StoreUnavailableError):
            await calls.find(CALL_ID)
        assert await calls.find(CALL_ID) == PLAIN_CALL


async def test_a_hot_standby_is_read_though_serializable_is_the_default(
    own_postgres: EmbeddedPostgres,
) -> None:
    store_call(own_postgres.url)
    execute(own_postgres.url, "ALTER DATABASE postgres SET default_transaction_isolation = serializable")
    make_standby(own_postgres)
    async with stored_calls(own_postgres.url) as calls:
        assert await calls.find(CALL_ID) == PLAIN_CALL
    assert list(all_calls(own_postgres.url)) == [PLAIN_CALL]


async def test_who_can_have_no_connection_of_his_own_waits_for_another_s(
    database_url: str, alone_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store_call(database_url)
    async with stored_calls(alone_url, **PATIENT) as calls:
        with locked(database_url):
            asked = [asyncio.create_task(calls.find(CALL_ID))]
            await selects_under_way(database_url, 1)
            asked.append(asyncio.create_task(calls.find(CALL_ID)))
            async with asyncio.timeout(60):
                while not caplog.records:  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0.01)
            asked.append(asyncio.create_task(calls.find(CALL_ID)))
        assert await asyncio.gather(*asked) == [PLAIN_CALL] * 3
        [record] = caplog.records
        assert record.message == "no more connections can be had"
        assert vars(record)["said"] == 'FATAL:  too many connections for role "alone"'
