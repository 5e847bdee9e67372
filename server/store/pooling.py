"""Finds out whether there is a pooler before PostgreSQL, and for how long it lends a session."""

import asyncio
from enum import StrEnum

from server.store.connections import Connections
from server.store.prepared_select import PreparedSelect

# With others about, a pooler may lend each of two another session by chance.
_ROUNDS = 5


class Pooling(StrEnum):
    """For how long a pooler lends a session."""

    SESSION = "session"
    TRANSACTION = "transaction"


async def pooling_of(connections: Connections, parameter: str, seconds: float) -> Pooling | None:
    """Query two connections in turn, for `seconds` at most; return None if there is no pooler.

    In session mode each keeps its session, and the second may wait for one. Raises psycopg.Error.
    """
    first = await connections.open()
    second = None
    try:
        await first.rows(parameter)
        if not first.pooled:
            return None
        second = await connections.open()
        asking = asyncio.create_task(_mode(first, second, parameter))
        if await _ends(asking, seconds):
            return asking.result()
    finally:
        for select in filter(None, (first, second)):
            await select.aclose()
    asking.cancel()
    await asyncio.wait([asking])
    return Pooling.SESSION


async def _ends(task: "asyncio.Task[Pooling]", seconds: float) -> bool:
    done, _ = await asyncio.wait([task], timeout=seconds)
    return bool(done)


async def _mode(first: PreparedSelect, second: PreparedSelect, parameter: str) -> Pooling:
    kept = first.session
    for _ in range(_ROUNDS):
        await second.rows(parameter)
        if second.session == kept:
            return Pooling.TRANSACTION
        await first.rows(parameter)
        if first.session != kept:
            return Pooling.TRANSACTION
    return Pooling.SESSION
