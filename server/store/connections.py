"""The connections by which the server reads, each statement its own transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryLoader

from server.config import DatabaseSettings
from server.store.engine import connection_parameters, database_url

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


class Connections:
    """Connections that are kept; there are as many as there are statements at once.

    Straight psycopg: SQLAlchemy's async engine doubles what a small SELECT costs.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        """Connect to nothing yet; raises DatabaseUrlError."""
        self._parameters = connection_parameters(database_url(settings), settings.statement_timeout_ms)
        # A peer that stays away as long as a caller would wait is gone.
        self._parameters.setdefault("tcp_user_timeout", settings.read_timeout_ms)
        self._connect_seconds = settings.connect_timeout_ms / 1000
        self._idle: list[Connection] = []

    async def rows(self, statement: str, parameters: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        """Read the rows of a SELECT, with times as microseconds since 2000; raises psycopg.Error.

        Where a connection turns out to be of no use any more, a fresh one is asked at once.
        """
        connection = self._idle.pop() if self._idle else await self._connect()
        try:
            return await self._rows(connection, statement, parameters)
        except (psycopg.OperationalError, psycopg.errors.FeatureNotSupported):
            if not connection.closed:
                raise
        return await self._rows(await self._connect(), statement, parameters)

    async def aclose(self) -> None:
        """Close what is kept; what is in use is closed or kept by who uses it."""
        while self._idle:
            await self._idle.pop().close()

    async def _rows(
        self, connection: Connection, statement: str, parameters: Mapping[str, Any]
    ) -> Sequence[tuple[Any, ...]]:
        try:
            cursor = await connection.execute(statement, parameters, binary=True)
            return await cursor.fetchall()
        except psycopg.errors.FeatureNotSupported:
            await connection.close()  # its plan is of a table that has changed since
            raise
        finally:
            if connection.pgconn.transaction_status == TransactionStatus.IDLE:
                self._idle.append(connection)
            else:
                await connection.close()

    async def _connect(self) -> Connection:
        """Connect in the time: the driver's own counts in whole seconds, from 2."""
        try:
            async with asyncio.timeout(self._connect_seconds):
                connection = await psycopg.AsyncConnection.connect(**self._parameters, autocommit=True)
        except TimeoutError:
            raise psycopg.errors.ConnectionTimeout("connection timeout expired") from None
        # Times as they come, for most rows have not changed since they were last read.
        connection.adapters.register_loader("timestamptz", Int8BinaryLoader)
        return connection
