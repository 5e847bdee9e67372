"""`python -m server migrate`: what it does and prints; test_migrations.py tests the migrations."""

import psycopg
import pytest

from server.store.migrate import current_revision, head_revision, upgrade
from tests.support.data.calls import numbered_id
from tests.support.database.postgres import execute
from tests.support.machine.commands import run, run_process

HEAD = head_revision()
FIRST = "0001"


def test_an_empty_database_is_brought_to_the_head(empty_database_url: str) -> None:
    result = run_process("migrate", DATABASE_URL=empty_database_url)
    assert result.stdout.decode() == f"migrated from nothing to {HEAD} (head)\n"
    assert (result.stderr, result.returncode) == (b"", 0)
    assert current_revision(empty_database_url) == HEAD


def test_at_the_head_nothing_is_done(database_url: str) -> None:
    result = run("migrate", DATABASE_URL=database_url)
    assert (result.stdout, result.exit_code) == (f"already at {HEAD} (head)\n", 0)


def test_a_revision_may_be_named(empty_database_url: str) -> None:
    result = run("migrate", "--to", FIRST, DATABASE_URL=empty_database_url)
    assert result.stdout.startswith(f"migrated from nothing to {FIRST}")
    assert current_revision(empty_database_url) == FIRST


def test_down_takes_it_back(database_url: str) -> None:
    result = run("migrate", "--down", "base", DATABASE_URL=database_url)
    assert (result.stdout, result.exit_code) == (f"migrated from {HEAD} to nothing\n", 0)
    assert execute(database_url, "SELECT to_regclass('calls')") == [(None,)]


@pytest.mark.parametrize("option", ["--to", "--down"])
def test_a_revision_that_is_none_is_a_line(database_url: str, option: str) -> None:
    result = run("migrate", option, "nonsense", DATABASE_URL=database_url)
    assert result.stderr == "Error: Can't locate revision identified by 'nonsense'\n"
    assert result.exit_code == 1
    assert current_revision(database_url) == HEAD


def test_a_database_of_a_newer_server_is_a_line(database_url: str) -> None:
    execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    result = run("migrate", DATABASE_URL=database_url)
    assert result.stderr == "Error: Can't locate revision identified by '9999'\n"
    assert result.exit_code == 1


def test_up_and_down_at_once_is_refused(empty_database_url: str) -> None:
    result = run("migrate", "--to", "head", "--down", "base", DATABASE_URL=empty_database_url)
    assert "--to and --down exclude each other" in result.stderr
    assert result.exit_code == 2
    assert current_revision(empty_database_url) is None


def test_a_schema_that_is_in_the_way_is_a_line_and_nothing_is_done(empty_database_url: str) -> None:
    execute(empty_database_url, "CREATE TABLE calls ()")
    result = run("migrate", DATABASE_URL=empty_database_url)
    assert result.stderr == 'Error: relation "calls" already exists\n'
    assert result.exit_code == 1
    execute(empty_database_url, "DROP TABLE calls")
    upgrade(empty_database_url)


def test_titles_that_are_too_long_are_a_line_and_nothing_is_done(empty_database_url: str) -> None:
    upgrade(empty_database_url, FIRST)
    # Not by store_call(), which knows the columns of today.
    for number in range(1, 5):
        values = f"('{numbered_id(number)}', 'coach-1', repeat('x', 1001))"
        execute(empty_database_url, f"INSERT INTO calls (id, host_user_id, title) VALUES {values}")
    result = run("migrate", DATABASE_URL=empty_database_url)
    shown = ", ".join(map(numbered_id, range(1, 4)))
    assert result.stderr == (
        f"Error: titles of more than 1000 characters in 4 rows of calls ({shown}, …): "
        "shorten them, then migrate again\n"
    )
    assert (result.exit_code, current_revision(empty_database_url)) == (1, FIRST)
    execute(empty_database_url, "UPDATE calls SET title = left(title, 1000)")
    upgrade(empty_database_url)
    assert current_revision(empty_database_url) == HEAD


def test_whoever_reads_does_not_wait_for_a_migration_that_waits(empty_database_url: str) -> None:
    upgrade(empty_database_url, FIRST)
    with psycopg.connect(empty_database_url) as exporting:
        exporting.execute("SELECT count(*) FROM calls")
        result = run("migrate", DATABASE_URL=empty_database_url)
    assert result.stderr == "Error: canceling statement due to lock timeout\n"
    assert (result.exit_code, current_revision(empty_database_url)) == (1, FIRST)
