"""Requests share SELECTs, and each gets what was read after it came."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from server.store.calls import StoredCalls
from server.store.connections import Connections
from server.store.prepared_select import Row
from tests.support.data.calls import CALL_ID, PLAIN_CALL, new_id
from tests.support.database.postgres import becomes, execute, store_call, stored_calls


@pytest.fixture
def selects(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The ids of every SELECT that is made."""
    made: list[list[str]] = []
    rows = Connections.rows

    async def noted(self: Connections, parameter: str) -> list[Row]:
        made.append(parameter.strip("{}").split(","))
        return await rows(self, parameter)

    monkeypatch.setattr(Connections, "rows", noted)
    return made


async def test_a_lone_request_makes_one_select(
    database_url: str, calls: StoredCalls, selects: list[list[str]]
) -> None:
    store_call(database_url)
    for _ in range(3):
        assert await calls.find(CALL_ID) == PLAIN_CALL
    assert selects == [[CALL_ID]] * 3


async def test_a_thousand_requests_at_once_share_few_selects(
    database_url: str, calls: StoredCalls, selects: list[list[str]]
) -> None:
    ids = [new_id() for _ in range(50)]
    for call_id in ids[:-1]:
        store_call(database_url, id=call_id)
    found = await asyncio.gather(*(calls.find(call_id) for call_id in ids * 20))
    assert [call.id if call else None for call in found] == [*ids[:-1], None] * 20
    assert len(selects) <= 4


async def test_a_select_has_a_thousand_ids_at_most(calls: StoredCalls, selects: list[list[str]]) -> None:
    await asyncio.gather(*(calls.find(new_id()) for _ in range(2500)))
    assert [len(ids) for ids in selects] == [1000, 1000, 500]


async def test_no_transaction_outlives_its_statement(database_url: str, calls: StoredCalls) -> None:
    await calls.find(CALL_ID)
    state = "SELECT state, xact_start FROM pg_stat_activity WHERE application_name = 'livecalls'"
    assert execute(database_url, f"{state} AND datname = current_database()") == [("idle", None)]


async def test_a_closed_store_leaves_no_connection(database_url: str) -> None:
    async with stored_calls(database_url) as calls:
        await calls.find(CALL_ID)
    here = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    await becomes(database_url, f"{here} AND pid != pg_backend_pid()", (0,))


async def test_a_call_is_read_as_it_was_just_written_however_busy_the_store(
    database_url: str, calls: StoredCalls
) -> None:
    store_call(database_url)
    async with (
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as writer,
        busy(calls),
    ):
        for number in range(2000):
            await writer.execute("UPDATE calls SET title = %s", [str(number)])
            call = await calls.find(CALL_ID)
            assert call is not None
            assert call.title == str(number)


@asynccontextmanager
async def busy(calls: StoredCalls) -> AsyncIterator[None]:
    """Let many others request the same call all the time."""

    async def ask() -> None:
        while True:
            assert await calls.find(CALL_ID)

    others = [asyncio.create_task(ask()) for _ in range(16)]
    try:
        yield
    finally:
        for other in others:
            other.cancel()
        results = await asyncio.gather(*others, return_exceptions=True)
    assert {type(result) for result in results} == {asyncio.CancelledError}
