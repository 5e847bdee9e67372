"""The connections by which the server reads, each statement its own transaction."""

import asyncio
from traceback import clear_frames

import psycopg
from psycopg.types.numeric import Int8BinaryLoader

from server.config import DatabaseSettings
from server.store.engine import connection_parameters, database_url
from server.store.prepared_select import PreparedSelect, Row


class Connections:
    """Connections that are kept; there are as many as there are statements at once.

    Straight psycopg: SQLAlchemy's async engine doubles what a small SELECT costs.
    """

    def __init__(self, settings: DatabaseSettings, statement: str) -> None:
        """Take the SELECT of one text parameter `$1`, and connect to nothing yet.

        Raises DatabaseUrlError.
        """
        self._statement = statement
        self._parameters = connection_parameters(database_url(settings), settings.statement_timeout_ms)
        # A peer that stays away as long as a caller would wait is gone.
        self._parameters.setdefault("tcp_user_timeout", settings.read_timeout_ms)
        self._connect_seconds = settings.connect_timeout_ms / 1000
        self._idle: list[PreparedSelect] = []

    async def rows(self, parameter: str) -> list[Row]:
        """Read the rows of the SELECT, with times as microseconds since 2000; raises psycopg.Error.

        Where a connection turns out to be of no use any more, a fresh one is asked at once.
        """
        select = self._idle.pop() if self._idle else await self._connect()
        try:
            return await self._rows(select, parameter)
        except (psycopg.OperationalError, psycopg.errors.FeatureNotSupported):
            if not select.closed:
                raise
        return await self._rows(await self._connect(), parameter)

    async def aclose(self) -> None:
        """Close what is kept; what is in use is closed or kept by who uses it."""
        while self._idle:
            await self._idle.pop().aclose()

    async def _rows(self, select: PreparedSelect, parameter: str) -> list[Row]:
        try:
            return await select.rows(parameter)
        except psycopg.errors.FeatureNotSupported:
            await select.aclose()  # its plan is of a table that has changed since
            raise
        finally:
            if select.usable:
                self._idle.append(select)
            else:
                await select.aclose()

    async def _connect(self) -> PreparedSelect:
        """Connect in the time: the driver's own counts in whole seconds, from 2."""
        try:
            async with asyncio.timeout(self._connect_seconds):
                connection = await psycopg.AsyncConnection.connect(**self._parameters, autocommit=True)
        except TimeoutError as error:
            _let_go(error)
            raise psycopg.errors.ConnectionTimeout("connection timeout expired") from None
        except asyncio.CancelledError as error:
            _let_go(error)
            raise
        # Times as they come, for most rows have not changed since they were last read.
        connection.adapters.register_loader("timestamptz", Int8BinaryLoader)
        return PreparedSelect(connection, self._statement)


def _let_go(error: BaseException | None) -> None:
    """Empty the frames that an error came through: they hold the socket of what was not yet connected.

    Left to the collector of garbage, which rarely comes by, PostgreSQL may run out of connections.
    """
    while error:
        clear_frames(error.__traceback__)
        error = error.__context__
