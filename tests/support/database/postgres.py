"""A real PostgreSQL for tests: a fresh migrated database each, or a server that one may break."""

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import fields, replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import insert

from demo.postgres import EmbeddedPostgres, embedded_postgres
from server.application.call import Call
from server.config.database import DatabaseSettings
from server.store.calls import StoredCalls
from server.store.engine import write_engine
from server.store.migrate import upgrade
from server.store.tables import calls
from tests.support.data.calls import PLAIN_CALL

# What a test writes may be lost with the machine, not with a server that it kills.
FAST = {"fsync": "off", "full_page_writes": "off"}
TEMPLATE = "migrated"
_NUMBERS = count(1)


@asynccontextmanager
async def stored_calls(url: str, **settings: Any) -> AsyncIterator[StoredCalls]:
    """Open the store under test, with database settings other than the URL."""
    calls = StoredCalls(DatabaseSettings(url=SecretStr(url), **settings))
    try:
        yield calls
    finally:
        await calls.aclose()


def store_call(url: str, call: Call = PLAIN_CALL, **changes: Any) -> Call:
    """Insert a call with changes, and return it as it is stored."""
    call = replace(call, **changes)
    row = {field.name: getattr(call, field.name) for field in fields(call) if field.name != "live"}
    with write_engine(url).begin() as connection:
        connection.execute(insert(calls).values(row))
    return call


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Execute a statement in a transaction of its own; return its rows, if it has some."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


async def becomes(url: str, statement: str, *rows: tuple[Any, ...]) -> None:
    """Wait until a statement returns the rows."""
    async with asyncio.timeout(10):
        while execute(url, statement) != list(rows):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


@contextmanager
def role(url: str, name: str, *, connections: int | None = None) -> Iterator[str]:
    """Make a role while the block lasts, which may do nothing yet; yield its URL."""
    limit = "" if connections is None else f" CONNECTION LIMIT {connections}"
    execute(url, f"CREATE ROLE {name} LOGIN{limit}")
    try:
        yield url.replace("postgres@", f"{name}@", 1)
    finally:
        execute(url, f"DROP OWNED BY {name}; DROP ROLE {name}")


def kill(server: EmbeddedPostgres) -> None:
    """End the server as in a crash, of its machine: by itself a backend goes on until it has to wait."""
    postmaster = psutil.Process(server.pid)
    # The first, which would else start all of them again.
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _, alive = psutil.wait_procs(processes, 10)
    assert not alive


@contextmanager
def frozen(server: EmbeddedPostgres) -> Iterator[None]:
    """Let the server accept connections and never respond, while the block lasts."""
    postmaster = psutil.Process(server.pid)
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # an autovacuum worker may end any time
            process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def make_standby(server: EmbeddedPostgres) -> None:
    """Restart the server as a hot standby, whose primary sends nothing."""
    [(folder,)] = execute(server.url, "SHOW data_directory")
    server.stop()
    Path(folder, "standby.signal").touch()
    server.ensure_running()


@contextmanager
def away(server: EmbeddedPostgres) -> Iterator[None]:
    """Stop the server while the block lasts."""
    server.stop()
    try:
        yield
    finally:
        server.ensure_running()


@pytest.fixture(scope="session")
def migrated_data() -> Iterator[Path]:
    """The data of a server whose database is migrated: a copy is made in no time."""
    with tempfile.TemporaryDirectory(prefix="livecalls-") as folder:
        data = Path(folder) / "data"
        with embedded_postgres(data, FAST) as server:
            upgrade(server.url)
        yield data


@pytest.fixture(scope="session")
def shared_postgres(migrated_data: Path) -> Iterator[EmbeddedPostgres]:
    """The server of all tests that do not break it."""
    with postgres_running(migrated_data) as server:
        execute(server.url, f"CREATE DATABASE {TEMPLATE} TEMPLATE postgres")
        yield server


@pytest.fixture
def database_url(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A fresh migrated database."""
    with migrated_database(shared_postgres) as url:
        yield url


@pytest.fixture
def empty_database_url(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A fresh database with nothing in it."""
    with _database(shared_postgres, "template0") as url:
        yield url


@pytest.fixture
def own_postgres(migrated_data: Path) -> Iterator[EmbeddedPostgres]:
    """A server that the test may stop, freeze or kill; the database at its `url` is migrated."""
    with postgres_running(migrated_data) as server:
        yield server


def url_of(server: EmbeddedPostgres, database: str) -> str:
    """Return the URL of a database of the server."""
    return urlsplit(server.url)._replace(path=f"/{database}").geturl()


@contextmanager
def migrated_database(server: EmbeddedPostgres) -> Iterator[str]:
    """Make a fresh migrated database on the shared server, while the block lasts."""
    with _database(server, TEMPLATE) as url:
        yield url


@contextmanager
def postgres_running(data: Path) -> Iterator[EmbeddedPostgres]:
    """Run a server on a copy of the data, while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="livecalls-") as folder:
        # With their owner, as whom PostgreSQL runs.
        subprocess.run(["cp", "-a", data, folder], check=True)
        with embedded_postgres(Path(folder) / data.name, FAST) as server:
            yield server


@contextmanager
def _database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{next(_NUMBERS)}"
    execute(server.url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield url_of(server, name)
    finally:
        execute(server.url, f"DROP DATABASE {name} WITH (FORCE)")
