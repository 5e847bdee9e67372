"""Stores and reads calls by the hundred thousand, each time in one transaction."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    MetaData,
    Select,
    Table,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import DataError

from server.application.call import Call
from server.store.engine import write_engine
from server.store.rows import BEYOND_YEARS, FIELDS, TIMESTAMPS, UnreadableRowError, to_call
from server.store.tables import calls

_BATCH = 1000
_ROWS = select(*(calls.c[name] for name in FIELDS))
_COPY = f"COPY staged_calls (place, {', '.join(FIELDS)}) FROM STDIN"

_staged = Table(
    "staged_calls",
    MetaData(),
    Column("place", BigInteger, nullable=False),
    *(Column(name, calls.c[name].type) for name in FIELDS),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


@dataclass(frozen=True)
class Stored:
    """How many calls were given, each counted once: new ones, changed ones, and others."""

    new: int
    changed: int
    unchanged: int

    @property
    def total(self) -> int:
        """How many calls there were."""
        return self.new + self.changed + self.unchanged


def store_calls(url: str, given: Iterable[Call]) -> Stored:
    """Insert calls, or update those whose ids are known; of two with one id the last counts.

    All are stored or, if iterating over them raises, none. Rows are locked only once all are read.
    `created_at` and `updated_at` are stored as they are given, and equal rows are untouched. Raises
    DatabaseUrlError, and SQLAlchemyError or psycopg.Error if the database refuses.
    """
    with write_engine(url).begin() as connection:
        _staged.create(connection, checkfirst=False)
        _stage(connection, given)
        connection.execute(select(func.set_config("livecalls.updated_at", "given", True)))  # noqa: FBT003
        new, changed = connection.execute(_store_staged()).one()
        total = connection.scalar(select(func.count(_staged.c.id.distinct()))) or 0
    return Stored(new, changed, total - new - changed)


def all_calls(url: str) -> Iterator[Call]:
    """Read all calls from one snapshot, in the order of their ids; few are held at a time.

    Raises DatabaseUrlError, UnreadableRowError, and SQLAlchemyError if the database refuses.
    """
    in_parts = _ROWS.order_by(calls.c.id).execution_options(yield_per=_BATCH)
    last = str(UUID(int=0))
    with write_engine(url).connect() as connection:
        try:
            with connection.execute(in_parts) as rows:
                for row in rows:
                    call = to_call(row)
                    yield call
                    last = call.id
        except (DataError, psycopg.DataError):
            connection.rollback()
            _raise_first_beyond_years(connection)
            _raise_first_not_sent(connection, last)
            raise


def _raise_first_beyond_years(connection: Connection) -> None:
    """Raise UnreadableRowError for a row with a time that Python does not know.

    The driver's own error does not name the row.
    """
    first, last = (moment.replace(tzinfo=UTC) for moment in (datetime.min, datetime.max))  # noqa: DTZ901
    for name in TIMESTAMPS:
        is_beyond = or_(calls.c[name] < first, calls.c[name] > last)
        call_id = connection.scalar(select(calls.c.id).where(is_beyond).order_by(calls.c.id).limit(1))
        if call_id is not None:
            raise UnreadableRowError(call_id, f"{name}: {BEYOND_YEARS}")


def _raise_first_not_sent(connection: Connection, after: str) -> None:
    """Raise UnreadableRowError for a row that PostgreSQL cannot send, such as bytes that are no UTF-8.

    Only a database in SQL_ASCII lets them in. Its error does not name the row.
    """
    following = select(calls.c.id).where(calls.c.id > after).order_by(calls.c.id).limit(_BATCH)
    for call_id in connection.scalars(following).all():
        try:
            connection.execute(_ROWS.where(calls.c.id == call_id)).one_or_none()
        except DataError as error:
            raise UnreadableRowError(call_id, str(error.orig).partition("\n")[0]) from None


def _stage(connection: Connection, given: Iterable[Call]) -> None:
    """Copy calls into a table of their own, which is several times as fast as inserting them.

    A COPY is a statement, which has a timeout: so it begins once its batch is complete, however
    slowly the calls come.
    """
    driver: Any = connection.connection.driver_connection
    places = count()
    remaining = iter(given)
    while batch := list(islice(remaining, _BATCH)):
        with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            for call in batch:
                copy.write_row((next(places), *(getattr(call, name) for name in FIELDS)))


def _store_staged() -> Select[int, int]:
    """Write what is staged, and count the rows that were inserted and those that were updated."""
    # An inserted row was never locked; one that was updated was, by its conflict.
    is_new = literal_column("calls.xmax = 0", Boolean).label("is_new")
    written = _upsert().returning(is_new).cte("written")
    return select(
        func.count().filter(written.c.is_new), func.count().filter(written.c.is_new.is_(False))
    ).select_from(written)


def _upsert() -> Insert:
    from_last = func.row_number().over(partition_by=_staged.c.id, order_by=_staged.c.place.desc())
    staged = select(_staged, from_last.label("from_last")).subquery()
    last = select(*(staged.c[name] for name in FIELDS)).where(staged.c.from_last == 1)
    # In the order of their ids, so that two concurrent imports wait for each other without a deadlock.
    statement = insert(calls).from_select(FIELDS, last.order_by(staged.c.id))
    given = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[calls.c.id],
        set_={name: given[name] for name in FIELDS if name != "id"},
        where=or_(*(calls.c[name].is_distinct_from(given[name]) for name in FIELDS)),
    )
