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
        self._reads = SharedReads(
            self._read, at_once=settings.pool_size, within=settings.read_timeout_ms / 1000
        )

    def find(self, call_id: str) -> Coroutine[Any, Any, Call | None]:
        """Read the row of a call afresh, or None where there is none.

        Raises StoreUnavailableError where there is no answer in the read time-out, or the schema
        is not the one that the server reads, and CallUnreadableError if the row is none of a call.
        """
        return self._reads.find(call_id)

    async def aclose(self) -> None:
        """Give up what is being read and close the connections."""
        await self._reads.aclose()
        await self._connections.aclose()

    async def _read(self, ids: list[str]) -> Mapping[str, Call]:
        try:
            rows = await self._connections.rows(f"{{{','.join(ids)}}}")
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            # An operator's to mend, and told without a trace for every request meanwhile.
            log.error(_OLD_SCHEMA, extra=_reason(error))  # noqa: TRY400
            raise StoreUnavailableError from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            log.warning("the calls cannot be read", extra=_reason(error))
            raise StoreUnavailableError from error
        try:
            return {row[0]: unpacked(row) for row in rows}
        except UnreadableRowError:
            raise _tell_apart(rows) from None


def _select_by_ids() -> str:
    # Ids are text on both ways, and many of them one text: UUIDs would be made and printed one by one.
    ids = cast(bindparam("ids", type_=Text), ARRAY(Uuid))
    return str(select(*COLUMNS).where(calls.c.id == any_(ids)).compile(dialect=DIALECT))


def _tell_apart(rows: Iterable[Row]) -> PartlyReadError[str, Call]:
    """Keep the calls, and log the rows that are none."""
    partly = PartlyReadError[str, Call]({}, {})
    for row in rows:
        try:
            partly.found[row[0]] = unpacked(row)
        except UnreadableRowError as error:
            log.error("a row cannot be read", extra={"call": error.call_id, "reason": error.problem})  # noqa: TRY400
            partly.failed[row[0]] = CallUnreadableError()
    return partly


def _reason(error: psycopg.Error) -> dict[str, str | None]:
    """Name the error, and why there is no connection; the text before that quotes the URL."""
    before, _, said = str(error).partition("\n")[0].rpartition(" failed: ")
    return {
        "reason": type(error).__name__,
        "sqlstate": error.sqlstate,
        "said": said if before else None,
    }
