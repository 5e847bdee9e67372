"""A column that the newest migration adds is null before it has run, whoever reads meanwhile."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import Column, DateTime, Text

from server.config.database import DatabaseSettings
from server.store.calls import COLUMNS, select_by_ids
from server.store.connections import Connections
from server.store.tables import NEWEST
from tests.support.data.calls import CALL_ID
from tests.support.database.postgres import execute, store_call

ADDED = (
    Column("cover_url", Text, info=NEWEST),
    Column("aired_at", DateTime(timezone=True), info=NEWEST),
)
EXPAND = """
ALTER TABLE calls ADD cover_url text DEFAULT 'cover', ADD aired_at timestamptz DEFAULT '2000-01-01Z'
"""
CONTRACT = "ALTER TABLE calls DROP cover_url, DROP aired_at"


@pytest.fixture
async def connections(database_url: str) -> AsyncIterator[Connections]:
    """Those of a server whose newest migration has not run."""
    store_call(database_url)
    settings = DatabaseSettings(url=SecretStr(database_url), pool_size=1)
    connections = Connections(settings, select_by_ids((*COLUMNS, *ADDED)))
    yield connections
    await connections.aclose()


async def added(connections: Connections) -> tuple[object, ...]:
    (row,) = await connections.rows(f"{{{CALL_ID}}}")
    return row[len(COLUMNS) :]


async def test_it_is_null_until_the_migration_has_run_and_once_it_is_taken_back(
    connections: Connections, database_url: str
) -> None:
    for _ in range(3):  # the SELECT is prepared by the second
        assert await added(connections) == (None, None)
    execute(database_url, EXPAND)
    for _ in range(3):
        assert await added(connections) == ("cover", 0)
    execute(database_url, CONTRACT)
    assert await added(connections) == (None, None)


async def test_its_place_among_the_columns_is_kept(database_url: str) -> None:
    store_call(database_url)
    settings = DatabaseSettings(url=SecretStr(database_url))
    connections = Connections(settings, select_by_ids((COLUMNS[0], *ADDED, *COLUMNS[1:])))
    (row,) = await connections.rows(f"{{{CALL_ID}}}")
    await connections.aclose()
    assert (row[0], row[1:3], len(row)) == (CALL_ID, (None, None), len(COLUMNS) + 2)
