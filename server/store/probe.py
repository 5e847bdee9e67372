"""Checks whether the server can read the calls, exactly as it reads them."""

import asyncio

import psycopg

from server.config.database import DatabaseSettings
from server.store.calls import select_by_ids
from server.store.connections import Connections
from server.store.pooling import Pooling, pooling_of

_NO_IDS = "{}"


def probe_reads(settings: DatabaseSettings) -> Pooling | None:
    """Read what the server reads, but no row; raises psycopg.Error if the server could not.

    Returns how a pooler lends sessions, or None if there is none.

    It could not if no host responds in time, a column is missing, it has no right to read one, or
    row level security would keep rows from it. Raises DatabaseUrlError.
    """
    return asyncio.run(_probe(settings))


async def _probe(settings: DatabaseSettings) -> Pooling | None:
    seconds = settings.read_timeout_ms / 1000
    connections = Connections(settings, select_by_ids())
    try:
        # Readers that do not wait so long leave the connecting to later ones.
        await connections.connect()
        async with asyncio.timeout(seconds):
            await connections.rows(_NO_IDS)
        await connections.aclose()
        return await pooling_of(connections, _NO_IDS, seconds)
    except TimeoutError:
        raise psycopg.OperationalError("the calls are not read in time") from None
    finally:
        await connections.aclose()
