"""What a row may hold, and that it is read as it was written."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from hypothesis import given

from demo.postgres import EmbeddedPostgres
from server.application.call import Call, CallStatus
from server.store.tables import calls as table
from tests.support.data.any_call import any_call
from tests.support.data.calls import CALL_ID, FULL_CALL, MOMENT, new_id
from tests.support.data.documented import NULLABLE, TIMESTAMPS
from tests.support.database.postgres import execute, migrated_database, store_call, stored_calls

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    """One database for all rows, each of which has an id of its own."""
    with migrated_database(shared_postgres) as url:
        yield url


async def found(url: str, call_id: str) -> Call | None:
    async with stored_calls(url) as calls:
        return await calls.find(call_id)


async def test_a_call_that_is_not_there_is_none(url: str) -> None:
    assert await found(url, new_id()) is None


async def test_a_call_with_nothing_but_what_must_be_is_found(url: str) -> None:
    call = store_call(url, id=new_id())
    assert await found(url, call.id) == call


@pytest.mark.parametrize("name", NULLABLE)
async def test_each_field_that_may_be_null_is_read_by_itself(url: str, name: str) -> None:
    call = store_call(url, id=new_id(), **{name: getattr(FULL_CALL, name)})
    assert await found(url, call.id) == call


@pytest.mark.parametrize("status", CallStatus)
async def test_each_status_is_read(url: str, status: CallStatus) -> None:
    call = store_call(url, id=new_id(), status=status)
    read = await found(url, call.id)
    assert read is not None
    assert read.status is status


@pytest.mark.parametrize("moment", [FIRST, LAST])
async def test_the_first_and_the_last_moment_are_read(url: str, moment: datetime) -> None:
    call = store_call(url, id=new_id(), scheduled_at=moment, created_at=moment, updated_at=moment)
    assert await found(url, call.id) == call


@given(call=any_call)
def test_any_row_the_database_can_hold_is_read_as_it_was_written(url: str, call: Call) -> None:
    store_call(url, call)
    assert asyncio.run(found(url, call.id)) == call


async def test_moments_are_in_utc_wherever_they_were_written(database_url: str) -> None:
    [(name,)] = execute(database_url, "SELECT current_database()")
    execute(database_url, f"ALTER DATABASE {name} SET timezone TO 'Asia/Tokyo'")
    tokyo = MOMENT.astimezone(timezone(timedelta(hours=9)))
    store_call(database_url, started_at=tokyo)
    call = await found(database_url, CALL_ID)
    assert call is not None
    assert call.started_at is not None
    assert (call.started_at, call.created_at) == (MOMENT, MOMENT)
    assert call.started_at.tzinfo is call.created_at.tzinfo is UTC


NO_MOMENTS = ["infinity", "-infinity", "0001-12-31 23:59:59 BC", "10000-01-01 00:00:00Z"]


@pytest.mark.parametrize("name", TIMESTAMPS)
@pytest.mark.parametrize("moment", NO_MOMENTS)
def test_a_moment_that_no_answer_could_say_is_refused(url: str, name: str, moment: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        change(url, f"{name} = '{moment}'")


@pytest.mark.parametrize("status", ["paused", "LIVE", ""])
def test_a_status_that_is_none_is_refused(url: str, status: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        change(url, f"status = '{status}'")


@pytest.mark.parametrize("name", [column.name for column in table.c if not column.nullable])
def test_what_is_always_there_cannot_be_null(url: str, name: str) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation):
        change(url, f"{name} = NULL")


def change(url: str, change: str) -> None:
    """Change a call of its own."""
    call = store_call(url, id=new_id())
    execute(url, f"SET livecalls.updated_at = 'given'; UPDATE calls SET {change} WHERE id = '{call.id}'")
