"""Trouble with PostgreSQL, seen from both sides."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

import psutil
import psycopg
import pytest

from server.application.errors import StoreUnavailableError
from server.store.calls import StoredCalls
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.database.postgres import becomes, execute

SPEC_SECONDS = 2.0


@contextmanager
def in_time() -> Iterator[None]:
    """Assert that the block ends with StoreUnavailableError, soon enough."""
    begun = monotonic()
    with pytest.raises(StoreUnavailableError):
        yield
    assert monotonic() - begun < SPEC_SECONDS


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Let nobody read the table while the block lasts."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Let a backend read nothing while the block lasts."""
    backend = psutil.Process(pid)
    backend.suspend()
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            backend.resume()


def end_unread(url: str, pid: int) -> None:
    """End a suspended backend that has not read what it was sent; the event loop waits meanwhile.

    So the loop sees at once what the backend wrote at its end, and that the connection was reset.
    """
    execute(url, f"SELECT pg_terminate_backend({pid})")
    backend = psutil.Process(pid)
    backend.resume()
    backend.wait(10)


async def is_found_again(calls: StoredCalls) -> None:
    """Read until the call is found, without anything being done for it."""
    async with asyncio.timeout(60):
        while True:
            try:
                assert await calls.find(CALL_ID) == PLAIN_CALL
            except StoreUnavailableError:
                await asyncio.sleep(0.01)
            else:
                return


async def selects_under_way(url: str, count: int) -> None:
    """Wait until so many SELECTs are under way, or waiting for a lock."""
    active = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
        "AND datname = current_database() AND query LIKE 'SELECT CAST(calls.%'"
    )
    await becomes(url, active, (count,))
