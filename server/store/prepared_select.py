"""One SELECT, prepared on a connection of its own and run by libpq's own calls."""

from collections.abc import Mapping
from hashlib import sha256
from math import inf
from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from server.store.libpq_connection import LibpqConnection
from server.store.session_settings import READ_COMMITTED, setting

_READ_COMMITTED = READ_COMMITTED.encode()
_SUCCESSES = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_TO_PREPARE = 3
"""How many results come before that of the SELECT as it is prepared."""

Row = tuple[Any, ...]


class PreparedSelect:
    """A SELECT of one text parameter `$1`; it runs again only once its last run has ended.

    The first run shows whether there is a pooler before PostgreSQL. If not, the second sets what is
    relied on and prepares the SELECT, for the whole session. Behind a pooler, which may hand the next
    transaction to another session, each transaction sets it anew and nothing is prepared. Either way a
    run takes one round trip.
    """

    renew_at = inf
    """When it should be replaced, by `time.monotonic`."""
    replaced = False
    """Whether it has been replaced: then it is closed once its run has ended."""
    session = 0
    """PostgreSQL's process of the first run, or behind a pooler of the last."""

    def __init__(
        self, connection: psycopg.AsyncConnection[Row], statement: str, settings: Mapping[str, str]
    ) -> None:
        """Take over a connection, which nothing else may use from now on, and what to set."""
        self._connection = LibpqConnection(connection)
        self._pgconn = connection.pgconn
        self._statement = statement.encode()
        self._for_session = setting(settings, for_transaction=False).encode()
        self._for_transaction = setting(settings, for_transaction=True).encode()
        self._name = _name(self._for_session + self._statement)
        self._straight: bool | None = None
        self._prepared = False
        self._rows = Transformer(connection)

    @property
    def usable(self) -> bool:
        """Whether it can run."""
        return self._connection.usable

    @property
    def pooled(self) -> bool:
        """Whether a pooler before PostgreSQL was noticed."""
        return self._straight is False

    @property
    def closed(self) -> bool:
        """Whether its connection is lost, or was closed."""
        return self._connection.closed

    async def rows(self, parameter: str) -> list[Row]:
        """Read the rows, in binary; raises psycopg.Error.

        If it is cancelled so is the statement, and the end of it awaited; if it is cancelled
        again meanwhile it is no longer usable.
        """
        if self._prepared:
            self._ask_prepared(parameter.encode())
            [result] = _raise_failed(await self._connection.results())
        else:
            result = await self._ask_and_set(parameter.encode())
        self._rows.set_pgresult(result)
        rows = self._rows.load_rows(0, result.ntuples, tuple)
        self._rows.set_pgresult(None)  # which may be large, and would be kept until the next
        return rows

    def share(self) -> None:
        """Assume a pooler before PostgreSQL, though none was noticed."""
        self._straight, self._prepared = False, False

    async def aclose(self) -> None:
        """Close the connection."""
        await self._connection.aclose()

    async def _ask_and_set(self, parameter: bytes) -> PGresult:
        """Run it, after setting what is relied on and, if that stays, preparing."""
        with self._connection.pipeline():
            if self._straight:
                return await self._prepare_and_ask(parameter)
            return await self._ask_in_transaction(parameter)

    async def _ask_in_transaction(self, parameter: bytes) -> PGresult:
        self._send_settings(self._for_transaction)
        self._pgconn.send_query_params(self._statement, [parameter], result_format=Format.BINARY)
        self._connection.sync()
        _, number, rows = _raise_failed(await self._connection.results())
        self.session = int(number.get_value(0, 0) or 0)
        if self._straight is None:
            self._straight = self._is_straight()
        return rows

    async def _prepare_and_ask(self, parameter: bytes) -> PGresult:
        """Prepare in a transaction of its own: what it sets stays, even if the SELECT fails."""
        self._send_settings(self._for_session)
        self._pgconn.send_prepare(self._name, self._statement)
        self._connection.sync()
        self._ask_prepared(parameter)
        self._connection.sync()
        try:
            results = await self._connection.results()
        finally:
            # Even if it was cancelled: that may have come too late to keep it from being prepared.
            self._prepared = _is_success(self._connection.answered[:_TO_PREPARE])
        return _raise_failed(results)[-1]

    def _send_settings(self, settings: bytes) -> None:
        self._pgconn.send_query_params(_READ_COMMITTED, None)
        self._pgconn.send_query_params(settings, None)

    def _ask_prepared(self, parameter: bytes) -> None:
        self._pgconn.send_query_prepared(self._name, [parameter], result_format=Format.BINARY)

    def _is_straight(self) -> bool:
        return self.session == self._pgconn.backend_pid


def _is_success(results: list[PGresult]) -> bool:
    return bool(results) and all(result.status in _SUCCESSES for result in results)


def _raise_failed(results: list[PGresult]) -> list[PGresult]:
    """Return results if none of them is an error; raises psycopg.Error."""
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
    return results


def _name(text: bytes) -> bytes:
    """Name a statement after its text: in a session that others use it is the same, or another's."""
    return b"livecalls_" + sha256(text).hexdigest()[:16].encode()
