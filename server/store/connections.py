"""The connections by which the server reads, each statement its own transaction."""

import asyncio
import logging
from time import monotonic
from traceback import clear_frames

import psycopg
from psycopg.types.numeric import Int8BinaryLoader

from server.config import DatabaseSettings
from server.store.engine import connection_parameters, database_url
from server.store.prepared_select import PreparedSelect, Row

log = logging.getLogger("server.store")

# What a standby's replay or another transaction is in the way of, this time.
_CONFLICTS = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)


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
        self._max_age_seconds = settings.max_connection_age_ms / 1000
        self._idle: list[PreparedSelect] = []

    async def rows(self, parameter: str) -> list[Row]:
        """Read the rows of the SELECT, with times as microseconds since 2000; raises psycopg.Error.

        Where a connection turns out to be of no use any more, a fresh one is asked at once. After a
        conflict the same one is asked once more.
        """
        select = self._idle.pop() if self._idle else await self._connect()
        if select.renew_at < monotonic():
            select = await self._renew(select)
        try:
            return await self._rows(select, parameter)
        except _CONFLICTS:
            again = await self._connect() if select.closed else self._idle.pop()
        except (psycopg.OperationalError, psycopg.errors.FeatureNotSupported):
            if not select.closed:
                raise
            again = await self._connect()
        return await self._rows(again, parameter)

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

    async def _renew(self, old: PreparedSelect) -> PreparedSelect:
        """Connect anew: the host's name may lead elsewhere by now, the role have other settings.

        If that fails the old one goes on, until it is as old again.
        """
        old.renew_at = monotonic() + self._max_age_seconds
        try:
            new = await self._connect()
        except psycopg.Error as error:
            log.warning("a connection cannot be renewed", extra={"reason": type(error).__name__})
            return old
        except asyncio.CancelledError:
            self._idle.append(old)
            raise
        await old.aclose()
        return new

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
        select = PreparedSelect(connection, self._statement)
        select.renew_at = monotonic() + self._max_age_seconds
        return select


def _let_go(error: BaseException | None) -> None:
    """Empty the frames that an error came through: they hold the socket of what was not yet connected.

    Left to the collector of garbage, which rarely comes by, PostgreSQL may run out of connections.
    """
    while error:
        clear_frames(error.__traceback__)
        error = error.__context__
