"""The demo's database: the one that DATABASE_URL names, else an embedded one with sample calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from demo.postgres import EmbeddedPostgres, embedded_postgres
from demo.sample_calls import sample_calls
from server.config.database import DatabaseSettings
from server.store.bulk import store_calls
from server.store.errors import database_errors
from server.store.migrate import upgrade


@dataclass(frozen=True)
class DemoDatabase:
    """The URL of the calls' database, and its embedded PostgreSQL if there is one."""

    url: str
    embedded: EmbeddedPostgres | None


@contextmanager
def demo_database(settings: DatabaseSettings, folder: Path) -> Iterator[DemoDatabase]:
    """Provide a migrated database; sample calls go into the embedded one only.

    Raises DatabaseError if the database refuses, and PostgresFailedError.
    """
    if settings.url is not None:
        database = DemoDatabase(settings.url.get_secret_value(), None)
        with database_errors():
            upgrade(database.url)
        yield database
        return
    with embedded_postgres(folder) as postgres:
        with database_errors():
            upgrade(postgres.url)
            store_calls(postgres.url, sample_calls(datetime.now(UTC)))
        yield DemoDatabase(postgres.url, postgres)
