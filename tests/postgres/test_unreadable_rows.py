"""Rows that hold what no call can have, as a migration may leave them without a constraint."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from demo.postgres import EmbeddedPostgres
from server.application.errors import CallUnreadableError
from tests.support.data.calls import new_id
from tests.support.database.postgres import execute, migrated_database, store_call, stored_calls
from tests.support.machine.commands import run

BEYOND = "not in the years 1 to 9999"
UNREADABLE = [
    ("status", "'paused'", "status: 'paused' is not a valid CallStatus"),
    ("status", "NULL", "status: null"),
    ("title", "NULL", "title: null"),
    ("created_at", "NULL", "created_at: null"),
    ("started_at", "'infinity'", f"started_at: {BEYOND}"),
    ("ended_at", "'-infinity'", f"ended_at: {BEYOND}"),
    ("updated_at", "'10000-01-01 00:00:00Z'", f"updated_at: {BEYOND}"),
    ("scheduled_at", "'0001-12-31 23:59:59 BC'", f"scheduled_at: {BEYOND}"),
]
CONSTRAINTS = "SELECT conname FROM pg_constraint WHERE conrelid = 'calls'::regclass AND contype = 'c'"
LOOSE = ("title", "status", "created_at")


@pytest.fixture(scope="module")
def url(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database that takes any row."""
    with migrated_database(shared_postgres) as url:
        for (name,) in execute(url, CONSTRAINTS):
            execute(url, f"ALTER TABLE calls DROP CONSTRAINT {name}")
        for name in LOOSE:
            execute(url, f"ALTER TABLE calls ALTER COLUMN {name} DROP NOT NULL")
        yield url


def spoil(url: str, name: str, value: str) -> str:
    """Store a row that cannot be read, and return its id."""
    call_id = store_call(url, id=new_id()).id
    change = f"UPDATE calls SET {name} = {value} WHERE id = '{call_id}'"
    execute(url, f"SET livecalls.updated_at = 'given'; {change}")
    return call_id


@pytest.mark.parametrize(("name", "value", "problem"), UNREADABLE)
async def test_it_fails_nobody_else_s_request_and_is_logged_by_its_id(
    url: str, caplog: pytest.LogCaptureFixture, name: str, value: str, problem: str
) -> None:
    bad = spoil(url, name, value)
    good = [store_call(url, id=new_id()) for _ in range(3)]
    asked = random.sample([bad, bad, *(call.id for call in good)], 5)
    async with stored_calls(url) as calls:
        answers = await asyncio.gather(*map(calls.find, asked), return_exceptions=True)
        answer = dict(zip(asked, answers, strict=True))
        assert isinstance(answer[bad], CallUnreadableError)
        assert [answer[call.id] for call in good] == good
        assert await calls.find(good[0].id) == good[0]
    [line] = [vars(record) for record in caplog.records if record.name == "server.store"]
    assert (line["call"], line["reason"], line["exc_info"]) == (bad, problem, None)


@pytest.mark.parametrize(("name", "value", "problem"), UNREADABLE)
def test_an_export_that_meets_it_names_it(url: str, name: str, value: str, problem: str) -> None:
    execute(url, "TRUNCATE calls")
    store_call(url, id=new_id())
    bad = spoil(url, name, value)
    result = run("export", DATABASE_URL=url)
    assert result.stderr == f"Error: the row of call {bad} cannot be read: {problem}\n"
    assert result.exit_code == 1
