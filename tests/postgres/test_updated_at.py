"""What sets when a row last changed: the database, unless a transaction sets it itself."""

from datetime import UTC, datetime

import psycopg
import pytest

from tests.support.data.calls import MOMENT
from tests.support.database.postgres import execute, store_call


def updated_at(url: str) -> datetime:
    [(moment,)] = execute(url, "SELECT updated_at FROM calls")
    assert isinstance(moment, datetime)
    return moment


def database_now(url: str) -> datetime:
    [(moment,)] = execute(url, "SELECT clock_timestamp()")
    assert isinstance(moment, datetime)
    return moment


def test_a_new_row_has_the_moment_it_was_made(database_url: str) -> None:
    before = database_now(database_url)
    execute(
        database_url, "INSERT INTO calls (id, host_user_id, title) VALUES (gen_random_uuid(), 'h', 't')"
    )
    assert before <= updated_at(database_url) <= database_now(database_url)


@pytest.mark.parametrize("change", ["title = 'new'", "title = 'new', updated_at = '2001-02-03'"])
def test_a_change_is_dated_by_the_database(database_url: str, change: str) -> None:
    store_call(database_url)
    before = database_now(database_url)
    execute(database_url, f"UPDATE calls SET {change}")
    assert before <= updated_at(database_url) <= database_now(database_url)


def test_two_changes_in_one_transaction_have_moments_of_their_own(database_url: str) -> None:
    store_call(database_url)
    with psycopg.connect(database_url) as connection:
        moments = [
            connection.execute("UPDATE calls SET title = title || '!' RETURNING updated_at").fetchone()
            for _ in range(2)
        ]
    assert moments[0] < moments[1]  # type: ignore[operator]  # neither is None


def test_an_update_that_changes_nothing_is_no_change(database_url: str) -> None:
    store_call(database_url)
    execute(database_url, "UPDATE calls SET title = title")
    assert updated_at(database_url) == MOMENT


def test_a_transaction_may_say_the_moment_itself(database_url: str) -> None:
    store_call(database_url)
    given = datetime(2001, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
    with psycopg.connect(database_url) as connection:
        connection.execute("SET LOCAL livecalls.updated_at = 'given'")
        connection.execute("UPDATE calls SET title = 'new', updated_at = %s", [given])
    assert updated_at(database_url) == given


def test_the_next_transaction_of_the_session_does_not(database_url: str) -> None:
    store_call(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("SET LOCAL livecalls.updated_at = 'given'")
        connection.commit()
        connection.execute("UPDATE calls SET title = 'new', updated_at = '2001-02-03'")
    assert updated_at(database_url) > MOMENT
