"""The migrations make the tables of tables.py, from nothing and back, whoever runs them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from server.application.call import MAX_TITLE_LENGTH
from server.store.engine import DatabaseUrlError, write_engine
from server.store.migrate import current_revision, downgrade, head_revision, upgrade
from server.store.tables import metadata
from tests.support.data.calls import new_id
from tests.support.database.postgres import execute, store_call

CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'calls'::regclass ORDER BY conname
"""
LEFT = """
SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1
"""


def test_migrating_again_changes_nothing(database_url: str) -> None:
    store_call(database_url)
    upgrade(database_url)
    assert execute(database_url, "SELECT count(*) FROM calls") == [(1,)]


def test_down_leaves_nothing_and_up_again_makes_the_same(database_url: str) -> None:
    made = execute(database_url, LEFT)
    downgrade(database_url, "base")
    assert current_revision(database_url) is None
    assert execute(database_url, LEFT) == [("alembic_version",), ("alembic_version_pkc",)]
    upgrade(database_url)
    assert execute(database_url, LEFT) == made
    store_call(database_url)


def test_the_tables_are_what_the_migrations_make(database_url: str) -> None:
    with write_engine(database_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_constraints_are_what_the_migrations_make(
    database_url: str, empty_database_url: str
) -> None:
    metadata.create_all(write_engine(empty_database_url))
    said = execute(empty_database_url, CONSTRAINTS)
    assert len(said) > len(metadata.tables)
    assert execute(database_url, CONSTRAINTS) == said


def test_replicas_may_migrate_at_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as replicas:
        list(replicas.map(upgrade, [empty_database_url] * 4))
    assert current_revision(empty_database_url) == head_revision()


def test_a_migration_that_fails_leaves_nothing(empty_database_url: str) -> None:
    execute(empty_database_url, "CREATE FUNCTION calls_keep_updated_at() RETURNS int RETURN 1")
    with pytest.raises(Exception, match="already exists"):
        upgrade(empty_database_url)
    assert current_revision(empty_database_url) is None
    assert execute(empty_database_url, LEFT) == [("calls_keep_updated_at",)]


def test_an_unusable_url_is_told() -> None:
    with pytest.raises(DatabaseUrlError):
        upgrade("mysql://host/calls")


def test_the_table_holds_the_longest_title_and_no_longer(database_url: str) -> None:
    store_call(database_url, title="🧘" * MAX_TITLE_LENGTH)
    with pytest.raises(IntegrityError, match="ck_calls_title_length"):
        store_call(database_url, id=new_id(), title="x" * (MAX_TITLE_LENGTH + 1))
