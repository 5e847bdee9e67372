"""The stored calls, read afresh for every request."""

import logging
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

import psycopg
from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, cast, select
from sqlalchemy.dialects import postgresql

from server.application.call import Call
from server.application.errors import CallUnreadableError, StoreUnavailableError
from server.config import DatabaseSettings
from server.store.connections import Connections
from server.store.prepared_select import Row
from server.store.rows import FIELDS, UnreadableRowError, unpacked
from server.store.shared_reads import PartlyReadError, SharedReads
from server.store.sparing_log import SparingLog
from server.store.tables import calls

log = logging.getLogger("server.store")

_OLD_SCHEMA = "the schema is not up to date: run `python -m server migrate`"


# Parameters as PostgreSQL itself writes them: $1.
DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # theirs

COLUMNS = [cast(calls.c.id, Text), *(calls.c[name] for name in FIELDS if name != "id")]
"""What is read of a row, for `unpacked`."""


class StoredCalls:
    """The calls in PostgreSQL; an implementation of the port Calls."""

    def __init__(self, settings: DatabaseSettings) -> None:
        """Connect to nothing yet; raises DatabaseUrlError."""
        self._connections = Connections(settings, _select_by_ids())
        self._log, self._row_log = SparingLog(log), SparingLog(log)
        self._reads = SharedReads(
            self._read, at_once=settings.pool_size, within=settings.read_timeout_ms / 1000
        )

    def find(self, call_id: str) -> Coroutine[Any, Any, Call | None]:
        """Read the row of a call afresh, or None where there is none.

        Raises StoreUnavailableError where there is no answer in the read time-out, or the schema
        is not one that the server can read, and CallUnreadableError if the row is none of a call.
        """
        return self._reads.find(call_id)

    async def aclose(self) -> None:
        """Give up what is being read and close the connections."""
        await self._reads.aclose()
        await self._connections.aclose()

    async def _read(self, ids: list[str]) -> Mapping[str, Call]:
        try:
            rows = await self._connections.rows(f"{{{','.join(ids)}}}")
        except psycopg.Error as error:
            self._log.write(_level(error), _message(error), **_reason(error))
            raise StoreUnavailableError from error
        try:
            return {row[0]: unpacked(row) for row in rows}
        except UnreadableRowError:
            raise self._tell_apart(rows) from None

    def _tell_apart(self, rows: Iterable[Row]) -> PartlyReadError[str, Call]:
        """Keep the calls, and log the rows that are none."""
        partly = PartlyReadError[str, Call]({}, {})
        for row in rows:
            try:
                partly.found[row[0]] = unpacked(row)
            except UnreadableRowError as error:
                self._row_log.write(
                    logging.ERROR, "a row cannot be read", call=error.call_id, reason=error.problem
                )
                partly.failed[row[0]] = CallUnreadableError()
        return partly


def _select_by_ids() -> str:
    # Ids are text on both ways, and many of them one text: UUIDs would be made and printed one by one.
    ids = cast(bindparam("ids", type_=Text), ARRAY(Uuid))
    return str(select(*COLUMNS).where(calls.c.id == any_(ids)).compile(dialect=DIALECT))


def _level(error: psycopg.Error) -> int:
    """Tell what passes by itself from what an operator has to mend."""
    passes = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return logging.WARNING if passes else logging.ERROR


def _message(error: psycopg.Error) -> str:
    is_old = isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn)
    return _OLD_SCHEMA if is_old else "the calls cannot be read"


def _reason(error: psycopg.Error) -> dict[str, str | None]:
    """Name the error and what PostgreSQL says of it; the text before that may quote the URL."""
    before, _, said = str(error).partition("\n")[0].rpartition(" failed: ")
    return {
        "reason": type(error).__name__,
        "sqlstate": error.sqlstate,
        "said": error.diag.message_primary or (said if before else None),
    }
