"""Many calls are stored all or none, and read from one snapshot."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from server.application.call import Call
from server.store.bulk import Stored, all_calls, store_calls
from server.store.errors import DatabaseError, database_errors
from tests.support.data.calls import PLAIN_CALL, many_calls
from tests.support.database.postgres import execute


def test_calls_are_stored_and_counted_once_each(database_url: str) -> None:
    calls = many_calls(2500)
    assert store_calls(database_url, calls[:10]) == Stored(new=10, changed=0, unchanged=0)
    renamed = replace(calls[0], title="Pilates")
    stored = store_calls(database_url, [*calls, renamed, renamed])
    assert stored == Stored(new=2490, changed=1, unchanged=9)
    assert stored.total == 2500
    assert list(all_calls(database_url)) == [renamed, *calls[1:]]


def test_nothing_is_stored_where_taking_the_calls_fails(database_url: str) -> None:
    def fails_in_the_end() -> Iterator[Call]:
        yield from many_calls(2500)
        raise LookupError

    with pytest.raises(LookupError):
        store_calls(database_url, fails_in_the_end())
    assert list(all_calls(database_url)) == []


def test_what_the_driver_refuses_is_an_error_of_the_database(database_url: str) -> None:
    with pytest.raises(DatabaseError, match="NUL"), database_errors():
        store_calls(database_url, [*many_calls(10), replace(PLAIN_CALL, title="\0")])
    assert list(all_calls(database_url)) == []


def test_calls_are_read_as_of_one_moment(database_url: str) -> None:
    calls = many_calls(5000)
    store_calls(database_url, calls)
    reading = all_calls(database_url)
    first = next(reading)
    execute(database_url, "DELETE FROM calls")
    assert [first, *reading] == calls


def test_calls_are_fetched_some_at_a_time(database_url: str) -> None:
    store_calls(database_url, many_calls(5000))
    reading = all_calls(database_url)
    calls = [next(reading) for _ in range(1500)]
    ((query,),) = execute(
        database_url,
        "SELECT query FROM pg_stat_activity "
        "WHERE datname = current_database() AND state = 'idle in transaction'",
    )
    calls += reading
    assert calls == many_calls(5000)
    assert query.startswith("FETCH FORWARD 1000 ")
