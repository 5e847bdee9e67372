"""What a row may hold, and that it is read as it was written."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.application.call import Call, CallStatus
from server.demo.postgres import EmbeddedPostgres
from tests.support.calls import CALL_ID, MOMENT, PLAIN_CALL
from tests.support.postgres import execute, migrated_database, store_call, stored_calls

NULLABLE: dict[str, Any] = {
    "scheduled_at": MOMENT,
    "started_at": MOMENT,
    "ended_at": MOMENT,
    "stream_call_id": "stream-1",
    "recording_url": "https://recordings.example.com/1.mp4",
    "recording_ready_at": MOMENT,
}
FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)

moments = st.datetimes(timezones=st.just(UTC))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
any_call = st.builds(
    Call,
    id=st.builds(uuid4),
    host_user_id=texts,
    title=texts,
    scheduled_at=st.none() | moments,
    started_at=st.none() | moments,
    ended_at=st.none() | moments,
    stream_call_id=st.none() | texts,
    stream_call_type=texts,
    recording_url=st.none() | texts,
    recording_ready_at=st.none() | moments,
    status=st.sampled_from(CallStatus),
    created_at=moments,
    updated_at=moments,
    live=st.none(),
)


async def found(url: str, call_id: UUID) -> Call | None:
    async with stored_calls(url) as calls:
        return await calls.find(call_id)


async def test_a_call_that_is_not_there_is_none(database_url: str) -> None:
    store_call(database_url)
    assert await found(database_url, uuid4()) is None


async def test_a_call_with_nothing_but_what_must_be_is_found(database_url: str) -> None:
    store_call(database_url)
    assert await found(database_url, CALL_ID) == PLAIN_CALL


@pytest.mark.parametrize("name", NULLABLE)
async def test_each_field_that_may_be_null_is_read_by_itself(database_url: str, name: str) -> None:
    store_call(database_url, **{name: NULLABLE[name]})
    assert await found(database_url, CALL_ID) == replace(PLAIN_CALL, **{name: NULLABLE[name]})


@pytest.mark.parametrize("status", CallStatus)
async def test_each_status_is_read(database_url: str, status: CallStatus) -> None:
    store_call(database_url, status=status)
    call = await found(database_url, CALL_ID)
    assert call is not None
    assert call.status is status


@pytest.mark.parametrize("moment", [FIRST, LAST])
async def test_the_first_and_the_last_moment_are_read(database_url: str, moment: datetime) -> None:
    call = store_call(database_url, scheduled_at=moment, created_at=moment, updated_at=moment)
    assert await found(database_url, CALL_ID) == call


async def test_moments_are_in_utc_wherever_they_were_written(database_url: str) -> None:
    [(name,)] = execute(database_url, "SELECT current_database()")
    execute(database_url, f"ALTER DATABASE {name} SET timezone TO 'Asia/Tokyo'")
    tokyo = MOMENT.astimezone(timezone(timedelta(hours=9)))
    store_call(database_url, started_at=tokyo)
    call = await found(database_url, CALL_ID)
    assert call is not None
    assert (call.started_at, call.created_at) == (MOMENT, MOMENT)
    assert call.started_at is not None
    assert call.started_at.tzinfo is call.created_at.tzinfo is UTC


@pytest.fixture(scope="module")
def module_database_url(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    with migrated_database(shared_postgres) as url:
        yield url


@given(call=any_call)
def test_any_row_the_database_can_hold_is_read_as_it_was_written(
    module_database_url: str, call: Call
) -> None:
    store_call(module_database_url, call)
    assert asyncio.run(found(module_database_url, call.id)) == call


@pytest.mark.parametrize(
    "change",
    [
        "status = 'paused'",
        "status = 'LIVE'",
        "status = ''",
        *(
            f"{name} = '{moment}'"
            for name in [*(n for n in NULLABLE if n.endswith("_at")), "created_at", "updated_at"]
            for moment in ["infinity", "-infinity", "0001-12-31 23:59:59 BC", "10000-01-01 00:00:00Z"]
        ),
    ],
)
def test_what_no_answer_could_say_is_refused(database_url: str, change: str) -> None:
    store_call(database_url)
    with pytest.raises(psycopg.errors.CheckViolation):
        execute(database_url, f"SET livecalls.updated_at = 'given'; UPDATE calls SET {change}")


@pytest.mark.parametrize(
    "name", ["id", "host_user_id", "title", "stream_call_type", "status", "created_at", "updated_at"]
)
def test_what_is_always_there_cannot_be_null(database_url: str, name: str) -> None:
    store_call(database_url)
    with pytest.raises(psycopg.errors.NotNullViolation):
        execute(database_url, f"SET livecalls.updated_at = 'given'; UPDATE calls SET {name} = NULL")
