"""Brings the schema of a database to a revision, in one transaction."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select, text

from server.store.engine import write_engine

SCRIPTS = "server.store:migrations"
# The lock's number is arbitrary; it only has to be the same for all who migrate.
MIGRATING = 7_203_118_204
# Reads queue behind a statement that waits for a long transaction to end, such as an export: it gives up
# before they do.
_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '1s'")


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up; replicas that do so at the same time wait for each other, and find it done.

    Raises DatabaseUrlError, and SQLAlchemyError if the database refuses.
    """
    with write_engine(url).begin() as connection:
        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to a revision, or to "base", which leaves nothing."""
    with write_engine(url).begin() as connection:
        command.downgrade(_config(connection), revision)


def current_revision(url: str) -> str | None:
    """Return the revision of the database, or None if it was never migrated."""
    with write_engine(url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str | None:
    """Return the newest revision."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def distance(revision: str | None) -> int:
    """Return how many revisions a schema is ahead of the head; negative if it is behind.

    Revisions are numbers, each one more than the last; none is 0.
    """
    return int(revision or 0) - int(head_revision() or 0)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    config.set_main_option("path_separator", "os")
    if connection is not None:
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        connection.execute(_LOCK_TIMEOUT)
        config.attributes["connection"] = connection
    return config
