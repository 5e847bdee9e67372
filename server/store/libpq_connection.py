"""One connection to PostgreSQL by libpq's own calls, whose results the event loop reads."""

import asyncio
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

_NO_SOCKET = -1


class LibpqConnection:
    """Sends what its `pgconn` was given, and collects the results of it.

    The driver's cursors, and its registering of the socket anew for each result, double the cost of
    a small SELECT.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Take over a connection, which nothing else may use from now on."""
        self._connection = connection
        self.pgconn = connection.pgconn
        self.answered: list[PGresult] = []
        self._syncs = 0
        self._results: list[PGresult] = []
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[list[PGresult]] | None = None
        self._socket = self.pgconn.socket
        self._unread = select.poll()
        self._unread.register(self._socket, select.POLLIN)
        self._loop.add_reader(self._socket, self._readable)

    @property
    def usable(self) -> bool:
        """Whether it can run a statement."""
        return self.pgconn.transaction_status == TransactionStatus.IDLE

    @property
    def closed(self) -> bool:
        """Whether it is lost, or was closed."""
        return self._connection.closed

    async def aclose(self) -> None:
        """Close it."""
        self._look_no_more()
        await self._connection.close()

    @contextmanager
    def pipeline(self) -> Iterator[None]:
        """Send statements together while the block lasts, with a sync() behind each transaction."""
        self.pgconn.enter_pipeline_mode()
        try:
            yield
        finally:
            self._syncs = 0
            if self.usable:
                self.pgconn.exit_pipeline_mode()

    def sync(self) -> None:
        """End a transaction of the pipeline."""
        self.pgconn.pipeline_sync()
        self._syncs += 1

    async def results(self) -> list[PGresult]:
        """Wait for all results of what was sent; raises psycopg.Error if the connection is lost.

        If it is cancelled so is the statement, and the end of it awaited; if it is cancelled
        again meanwhile it is no longer usable. `answered` has the results then.
        """
        self._send()
        try:
            return await self._end()
        except asyncio.CancelledError:
            with suppress(psycopg.Error):
                await self._cancel()
            raise

    async def _cancel(self) -> None:
        if not self.usable:
            await self._connection.cancel_safe()
        if not self.usable and not self.closed:
            await self._end()

    def _end(self) -> "asyncio.Future[list[PGresult]]":
        self._ended = self._loop.create_future()
        return self._ended

    def _send(self) -> None:
        self.answered = []
        if self.pgconn.flush():
            self._loop.add_writer(self._socket, self._writable)

    def _writable(self) -> None:
        try:
            remaining = self.pgconn.flush()
        except psycopg.Error as error:
            self._fail(error)
        else:
            if not remaining:
                self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        """Read on until all is there or nothing is left.

        libuv reports a socket with an error once and never again, even if it can still be read: what
        came before the error is read now or not at all.
        """
        try:
            self.pgconn.consume_input()
            while not self._take_results() and self._unread.poll(0):
                self.pgconn.consume_input()
        except psycopg.Error as error:
            self._fail(error)

    def _take_results(self) -> bool:
        """Take the results that are there; return whether no other will come."""
        ended = False
        # In a pipeline each result is followed by None, and two of them are its end if it is lost.
        none_ends = not self._syncs
        while not ended and not self.pgconn.is_busy():
            result = self.pgconn.get_result()
            if result is None:
                ended, none_ends = none_ends, True
            elif result.status == ExecStatus.PIPELINE_SYNC:
                self._syncs -= 1
                ended = not self._syncs
            else:
                self._results.append(result)
                none_ends = not self._syncs
        if ended:
            self._answer()
        return ended

    def _answer(self) -> None:
        ended, self._ended = self._ended, None
        self.answered, self._results = self._results, []
        if ended and self.answered and not ended.done():
            ended.set_result(self.answered)

    def _fail(self, error: psycopg.Error) -> None:
        """Fail the wait with PostgreSQL's error from before the connection was lost, if any."""
        self._look_no_more()
        ended, self._ended = self._ended, None
        if ended and not ended.done():
            said = (result for result in self._results if result.status == ExecStatus.FATAL_ERROR)
            ended.set_exception(next(map(error_from_result, said), error))

    def _look_no_more(self) -> None:
        # Once: the descriptor of a lost socket may be another's by now.
        if self._socket != _NO_SOCKET:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = _NO_SOCKET
