"""Errors of the database, in one line for the people who run commands."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from server.store.engine import DatabaseUrlError
from server.store.faults import pooler_advice
from server.store.rows import UnreadableRowError

_ERRORS = (
    DatabaseUrlError,
    UnreadableRowError,
    SQLAlchemyError,
    psycopg.Error,
    CommandError,
)


class DatabaseError(Exception):
    """The database cannot be reached or refuses; the message is one line, without its URL."""


class SchemaError(DatabaseError):
    """The database does not have the tables or columns that are needed."""


class RightsError(DatabaseError):
    """The role may not do what was asked."""


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise as a DatabaseError whatever the store, its driver or its migrations raise."""
    try:
        yield
    except DBAPIError as error:
        raise _to_database_error(error.orig) from error
    except _ERRORS as error:
        raise _to_database_error(error) from error


def _to_database_error(error: BaseException | None) -> DatabaseError:
    # The lines after the first are hints, and the values of the row in question.
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return SchemaError(lines[0])
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return RightsError(lines[0])
    if isinstance(error, psycopg.errors.UntranslatableCharacter):
        return DatabaseError(f"{lines[0]}: make the database with ENCODING 'UTF8'")
    advice = pooler_advice(lines[0])
    return DatabaseError(f"{lines[0]}: {advice}" if advice else lines[0])
