"""How a fault of the database is described in the log."""

import logging

import psycopg

_OLD_SCHEMA = "the schema is not up to date: run `python -m server migrate`"


def level_of(error: psycopg.Error) -> int:
    """Tell what passes by itself from what an operator has to mend."""
    passes = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return logging.WARNING if passes else logging.ERROR


def message_of(error: psycopg.Error) -> str:
    """Say what the server cannot do for it."""
    is_old = isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn)
    return _OLD_SCHEMA if is_old else "the calls cannot be read"


def fields_of(error: psycopg.Error) -> dict[str, str | None]:
    """Name the error and what PostgreSQL says of it."""
    return {"reason": type(error).__name__, "sqlstate": error.sqlstate, "said": said_by(error)}


def said_by(error: psycopg.Error) -> str | None:
    """Return what PostgreSQL or libpq says in one line; the text before that may quote the URL."""
    before, _, said = str(error).partition("\n")[0].rpartition(" failed: ")
    return error.diag.message_primary or (said if before else None)
