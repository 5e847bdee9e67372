"""The connections by which the server reads, each statement its own transaction."""

import asyncio
import logging
from contextvars import Context
from math import inf
from time import monotonic, perf_counter
from typing import Any

import psycopg
from psycopg.types.numeric import Int8BinaryLoader

from server.config.database import DatabaseSettings
from server.runtime.sparing_log import SparingLog
from server.runtime.tasks import wait_for_end
from server.store.engine import connection_parameters, database_url
from server.store.faults import fields_of, lacks_connections
from server.store.hosts import connect_to_first
from server.store.metrics import CONNECTIONS_MAX, IDLE, IN_USE, record_select
from server.store.prepared_select import PreparedSelect, Row
from server.store.session_settings import settings_of_reads

log = logging.getLogger("server.store")

# Conflicts with a standby's replay or another transaction, which a retry may not meet.
_CONFLICTS = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
# The statement was prepared in another session: a pooler switches between them.
_OF_A_POOLER = (psycopg.errors.DuplicatePreparedStatement, psycopg.errors.InvalidSqlStatementName)

# How long no further connection is tried if PostgreSQL has none left for us.
_CROWDED_SECONDS = 1.0

Connecting = asyncio.Task[PreparedSelect]


class Connections:
    """A pool of connections, one for each concurrent statement.

    Straight psycopg: SQLAlchemy's async engine doubles what a small SELECT costs.
    """

    def __init__(self, settings: DatabaseSettings, statement: str) -> None:
        """Take the SELECT of one text parameter `$1`, and connect to nothing yet.

        Raises DatabaseUrlError.
        """
        self._statement = statement
        self._parameters = connection_parameters(database_url(settings))
        self._settings = settings_of_reads(settings.statement_timeout_ms, self._parameters["options"])
        # A peer that does not respond for as long as a caller would wait is gone.
        self._parameters.setdefault("tcp_user_timeout", settings.read_timeout_ms)
        self._connect_seconds = settings.connect_timeout_ms / 1000
        self._most = settings.pool_size
        self._max_age_seconds = settings.max_connection_age_ms / 1000
        self._log = SparingLog(log)
        self._idle: list[PreparedSelect] = []
        self._in_use = 0
        self._given_back = asyncio.Event()
        self._crowded_until = -inf
        self._left: set[Connecting] = set()
        self._renewing: set[asyncio.Task[None]] = set()
        CONNECTIONS_MAX.set(self._most)
        IDLE.set_function(lambda: len(self._idle))
        IN_USE.set_function(lambda: self._in_use)

    async def connect(self) -> None:
        """Connect, so that the next read need not; raises psycopg.Error."""
        self._idle.append(await self._connect())

    async def open(self) -> PreparedSelect:
        """Connect, for the caller alone; raises psycopg.Error."""
        connection = await connect_to_first(self._parameters, self._connect_seconds)
        # Timestamps stay raw, for most rows have not changed since they were last read.
        connection.adapters.register_loader("timestamptz", Int8BinaryLoader)
        select = PreparedSelect(connection, self._statement, self._settings)
        select.renew_at = monotonic() + self._max_age_seconds
        return select

    async def rows(self, parameter: str) -> list[Row]:
        """Read the rows of the SELECT, with times as microseconds since 2000; raises psycopg.Error.

        If a connection turns out to be unusable, a fresh one is tried at once. After a conflict the
        same one is tried once more.
        """
        select = await self._take()
        if select.renew_at < monotonic():
            self._begin_to_renew(select)
        try:
            return await self._rows(select, parameter)
        except _OF_A_POOLER:
            select.share()
            again = await self._take()
        except _CONFLICTS:
            again = await self._connect() if select.closed else await self._take()
        except (psycopg.OperationalError, psycopg.errors.FeatureNotSupported):
            if not select.closed:
                raise
            again = await self._connect()
        return await self._rows(again, parameter)

    async def aclose(self) -> None:
        """Close idle connections; those in use are closed or kept by their users."""
        tasks: list[asyncio.Task[Any]] = [*self._left, *self._renewing]
        for task in tasks:
            task.cancel()
        await wait_for_end(tasks, "connecting")
        while self._idle:
            await self._idle.pop().aclose()

    async def _rows(self, select: PreparedSelect, parameter: str) -> list[Row]:
        self._in_use += 1
        began = perf_counter()
        try:
            rows = await select.rows(parameter)
        except psycopg.errors.FeatureNotSupported:
            await select.aclose()  # its plan is of a table that has changed since
            raise
        else:
            record_select(perf_counter() - began, len(rows))
            return rows
        finally:
            self._in_use -= 1
            self._given_back.set()
            if select.usable and not select.replaced and self._has_room():
                self._idle.append(select)
            else:
                await select.aclose()

    def _has_room(self) -> bool:
        """Return whether one more may be kept; the place of a lost one may be taken already."""
        return len(self._idle) + self._in_use < self._most

    async def _take(self) -> PreparedSelect:
        """Take an idle connection, or connect; if no more can be had, wait for one in use."""
        if not self._idle and (self._crowded_until < monotonic() or not self._in_use):
            try:
                return await self._connect()
            except psycopg.OperationalError as error:
                if not self._in_use or not lacks_connections(error):
                    raise
                self._crowded_until = monotonic() + _CROWDED_SECONDS
                self._log.write(logging.WARNING, "no more connections can be had", **fields_of(error))
        while not self._idle and self._in_use:
            self._given_back.clear()
            await self._given_back.wait()
        return self._idle.pop() if self._idle else await self._connect()

    def _begin_to_renew(self, old: PreparedSelect) -> None:
        old.renew_at = monotonic() + self._max_age_seconds
        renewing = asyncio.create_task(self._renew(old), context=Context())
        self._renewing.add(renewing)
        renewing.add_done_callback(self._renewing.discard)

    async def _renew(self, old: PreparedSelect) -> None:
        """Reconnect: the host's name may resolve otherwise by now, the role have other settings.

        Nobody waits for it. If it fails the old one goes on, until it is as old again.
        """
        try:
            new = await self.open()
        except psycopg.Error as error:
            self._log.write(logging.WARNING, "a connection cannot be renewed", **fields_of(error))
            return
        old.replaced = True
        if old in self._idle:
            self._idle.remove(old)
            await old.aclose()
        self._idle.append(new)

    async def _connect(self) -> PreparedSelect:
        """Connect, or wait for an attempt that another caller began and abandoned.

        An abandoned attempt is left to the next caller: if some hosts do not respond, connecting may
        take longer than anybody waits.
        """
        connecting = (
            self._left.pop() if self._left else asyncio.create_task(self.open(), context=Context())
        )
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            self._left.add(connecting)
            connecting.add_done_callback(self._end_left)
            raise

    def _end_left(self, connecting: Connecting) -> None:
        """Keep a connection that nobody waits for, or log why there is none."""
        if connecting not in self._left:
            return  # somebody waits for it again
        self._left.discard(connecting)
        if connecting.cancelled():
            return
        error = connecting.exception()
        if error is None:
            self._idle.append(connecting.result())
        elif isinstance(error, psycopg.Error):
            self._log.write(logging.WARNING, "the database cannot be connected to", **fields_of(error))
