"""The stored calls, read afresh for every request."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

import psycopg
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    literal_column,
    null,
    select,
)
from sqlalchemy.dialects import postgresql

from server.application.call import Call
from server.application.errors import CallUnreadableError, StoreUnavailableError
from server.config.database import DatabaseSettings
from server.runtime import tracing
from server.runtime.sparing_log import SparingLog
from server.store.batch_loader import BatchLoader, PartialReadError
from server.store.connections import Connections
from server.store.faults import fields_of, level_of, message_of, said_by
from server.store.metrics import CANCELLED, FAILED, OK, WAITING
from server.store.prepared_select import Row
from server.store.rows import FIELDS, UnreadableRowError, unpack
from server.store.tables import NEWEST, calls

log = logging.getLogger("server.store")

_UNREADABLE = "a row cannot be read"
_SPAN_ATTRIBUTES = {
    "db.system.name": "postgresql",
    "db.operation.name": "SELECT",
    "db.collection.name": calls.name,
}

# Parameters as PostgreSQL itself writes them: $1.
DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # theirs

COLUMNS: tuple[Column[Any], ...] = tuple(calls.c[name] for name in FIELDS)
"""The columns that are read, for `unpack`."""


class StoredCalls:
    """The calls in PostgreSQL; an implementation of the port Calls."""

    def __init__(self, settings: DatabaseSettings) -> None:
        """Connect to nothing yet; raises DatabaseUrlError."""
        self._connections = Connections(settings, select_by_ids())
        self._log, self._row_log = SparingLog(log), SparingLog(log)
        self._loader = BatchLoader(
            self._read, max_in_flight=settings.pool_size, within=settings.read_timeout_ms / 1000
        )
        WAITING.set_function(self._loader.waiting)

    def find(self, call_id: str) -> Coroutine[Any, Any, Call | None]:
        """Read the row of a call afresh; return None if there is none.

        Raises StoreUnavailableError if there is no response within the read timeout, or the schema
        is not one that the server can read, and CallUnreadableError if the row is not a valid call.
        """
        if tracing.current() is None:  # with one coroutine less
            return self._loader.load(call_id)
        return self._find_traced(call_id)

    async def _find_traced(self, call_id: str) -> Call | None:
        with tracing.span("SELECT calls", "client", _SPAN_ATTRIBUTES):
            return await self._loader.load(call_id)

    async def aclose(self) -> None:
        """Cancel the reads under way and close the connections."""
        await self._loader.aclose()
        await self._connections.aclose()

    async def _read(self, ids: list[str]) -> Mapping[str, Call]:
        try:
            rows = await self._rows(ids)
        except psycopg.DataError as error:
            raise await self._read_apart(ids, error) from None
        except psycopg.Error as error:
            self._log.write(level_of(error), message_of(error), **fields_of(error))
            raise StoreUnavailableError from error
        try:
            return {row[0]: unpack(row) for row in rows}
        except UnreadableRowError:
            raise self._separate(rows) from None

    async def _rows(self, ids: list[str]) -> list[Row]:
        """Read rows by one SELECT, and count how it ended."""
        try:
            rows = await self._connections.rows(f"{{{','.join(ids)}}}")
        except asyncio.CancelledError:
            CANCELLED.value += 1
            raise
        except psycopg.Error:
            FAILED.value += 1
            raise
        OK.value += 1
        return rows

    async def _read_apart(self, ids: list[str], error: psycopg.DataError) -> PartialReadError[str, Call]:
        """Bisect a read that PostgreSQL cannot send: its error does not name the row at fault."""
        partly = PartialReadError[str, Call]({}, {})
        if len(ids) == 1:
            reason = said_by(error) or str(error)
            self._row_log.write(logging.ERROR, _UNREADABLE, call=ids[0], reason=reason)
            partly.failed[ids[0]] = CallUnreadableError()
            return partly
        middle = len(ids) // 2
        for half in (ids[:middle], ids[middle:]):
            try:
                partly.found.update(await self._read(half))
            except PartialReadError as part:
                partly.found.update(part.found)
                partly.failed.update(part.failed)
        return partly

    def _separate(self, rows: Iterable[Row]) -> PartialReadError[str, Call]:
        """Keep the valid calls, and log the rows that are not."""
        partly = PartialReadError[str, Call]({}, {})
        for row in rows:
            try:
                partly.found[row[0]] = unpack(row)
            except UnreadableRowError as error:
                self._row_log.write(logging.ERROR, _UNREADABLE, call=error.call_id, reason=error.problem)
                partly.failed[row[0]] = CallUnreadableError()
        return partly


def select_by_ids(columns: Iterable[Column[Any]] = COLUMNS) -> str:
    """Write the SELECT by which the server reads; a NEWEST column that is not there is null."""
    # Ids are text both ways, and many of them one text: UUIDs would be parsed and printed one by one.
    ids = cast(bindparam("ids", type_=Text), ARRAY(Uuid))
    newest = [column for column in columns if column.info == NEWEST]
    read = [read_as(column) for column in columns]
    found = _sql(select(*read).select_from(calls).where(calls.c.id == any_(ids)))
    if not newest:
        return found
    # A name that no column of `calls` has is looked for around it.
    absent = _sql(select(*(cast(null(), column.type).label(column.name) for column in newest)))
    return f"SELECT found.* FROM ({absent}) AS absent, LATERAL ({found}) AS found"  # noqa: S608 - constants


def read_as(column: Column[Any]) -> ColumnElement[Any]:
    """Return what is selected of a column: an id as text."""
    if column.info == NEWEST:
        return literal_column(column.name, column.type)
    return cast(column, Text) if column.name == "id" else column


def _sql(statement: Select[Any]) -> str:
    return str(statement.compile(dialect=DIALECT))
