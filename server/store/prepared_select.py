"""One SELECT, prepared on a connection of its own and asked by libpq's own calls."""

import asyncio
import select
from contextlib import suppress
from math import inf
from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult

_NAME = b"select"
_NO_SOCKET = -1

Row = tuple[Any, ...]


class PreparedSelect:
    """A SELECT of one text parameter `$1`; it is asked again only once it has answered.

    The driver's cursors, and its looking at the socket anew for each answer, double what a small
    SELECT costs.
    """

    renew_at = inf
    """When another should take its place, by `time.monotonic`."""
    replaced = False
    """Whether another has taken its place: then it is closed once it has answered."""

    def __init__(self, connection: psycopg.AsyncConnection[Row], statement: str) -> None:
        """Take over a connection, of which nobody else makes use from now on."""
        self._connection = connection
        self._pgconn = connection.pgconn
        self._statement = statement.encode()
        self._prepared = False
        self._rows = Transformer(connection)
        self._last: PGresult | None = None
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[PGresult] | None = None
        self._socket = self._pgconn.socket
        self._unread = select.poll()
        self._unread.register(self._socket, select.POLLIN)
        self._loop.add_reader(self._socket, self._readable)

    @property
    def usable(self) -> bool:
        """Whether it can be asked."""
        return self._pgconn.transaction_status == TransactionStatus.IDLE

    @property
    def closed(self) -> bool:
        """Whether its connection is lost, or was closed."""
        return self._connection.closed

    async def rows(self, parameter: str) -> list[Row]:
        """Read the rows, in binary; raises psycopg.Error.

        Where it is cancelled so is the statement, and the end of it awaited; where it is cancelled
        again meanwhile it is usable no more.
        """
        if not self._prepared:
            await self._prepare()
        self._pgconn.send_query_prepared(_NAME, [parameter.encode()], result_format=Format.BINARY)
        result = await self._result()
        self._rows.set_pgresult(result)
        return self._rows.load_rows(0, result.ntuples, tuple)

    async def aclose(self) -> None:
        """Close the connection."""
        self._look_no_more()
        await self._connection.close()

    async def _prepare(self) -> None:
        self._pgconn.send_prepare(_NAME, self._statement)
        try:
            await self._result()
        except asyncio.CancelledError:
            await self.aclose()  # nobody can tell whether it came too late
            raise
        self._prepared = True

    async def _result(self) -> PGresult:
        self._send()
        try:
            result = await self._end()
        except asyncio.CancelledError:
            with suppress(psycopg.Error):
                await self._cancel()
            raise
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
        return result

    async def _cancel(self) -> None:
        if not self.usable:
            await self._connection.cancel_safe()
        if not self.usable:
            await self._end()

    def _end(self) -> "asyncio.Future[PGresult]":
        self._ended = self._loop.create_future()
        return self._ended

    def _send(self) -> None:
        if self._pgconn.flush():
            self._loop.add_writer(self._socket, self._writable)

    def _writable(self) -> None:
        try:
            remaining = self._pgconn.flush()
        except psycopg.Error as error:
            self._fail(error)
        else:
            if not remaining:
                self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        """Read on until all is there or nothing is left.

        libuv reports a socket with an error once and never again, even if it can still be read: what
        stands between here and the error is read now or not at all.
        """
        try:
            self._pgconn.consume_input()
            while not self._take_results() and self._unread.poll(0):
                self._pgconn.consume_input()
        except psycopg.Error as error:
            self._fail(error)

    def _take_results(self) -> bool:
        """Take the results that are there; return whether no other will come."""
        while not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if result is None:
                self._answer()
                return True
            self._last = result
        return False

    def _answer(self) -> None:
        ended, self._ended = self._ended, None
        result, self._last = self._last, None
        if ended and result and not ended.done():
            ended.set_result(result)

    def _fail(self, error: psycopg.Error) -> None:
        self._look_no_more()
        ended, self._ended = self._ended, None
        if ended and not ended.done():
            ended.set_exception(error)

    def _look_no_more(self) -> None:
        # Once: the number of a lost socket may be another's by now.
        if self._socket != _NO_SOCKET:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = _NO_SOCKET
