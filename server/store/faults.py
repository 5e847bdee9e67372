"""How a fault of the database is described in the log."""

import logging
import re

import psycopg

_OLD_SCHEMA = "the schema is not up to date: run `python -m server migrate`"


# By message: PgBouncer's, RDS Proxy's, Neon's, and PostgreSQL's in a session shared with others.
_OF_A_POOLER = {
    "unsupported startup parameter|command-line options": (
        "the pooler before PostgreSQL refuses settings at the start: leave `options` out of DATABASE_URL"
    ),
    "statement pooling mode": (
        "the pooler before PostgreSQL must be in session or transaction mode, not in statement mode"
    ),
    'prepared statement ".*" (already exists|does not exist)': (
        "the pooler before PostgreSQL hands on prepared statements of others: use its session mode"
    ),
    "query_wait_timeout|no more connections allowed": (
        "the pooler before PostgreSQL has no session or connection left: let it have more"
    ),
    "server_login_retry|server login has been failing|pgbouncer cannot connect": (
        "the pooler cannot connect to PostgreSQL"
    ),
}

# By message as well: libpq has no other sign of it while it connects.
_NO_CONNECTIONS = re.compile(
    "too many (connections|clients)|remaining connection slots|no more connections"
)


def lacks_connections(error: psycopg.Error) -> bool:
    """Return whether PostgreSQL, or a pooler, refuses a connection because there are too many."""
    return bool(_NO_CONNECTIONS.search(str(error)))


def pooler_advice(message: str) -> str | None:
    """Return what to do about a pooler, if the message is of one that refuses."""
    return next((advice for words, advice in _OF_A_POOLER.items() if re.search(words, message)), None)


def level_of(error: psycopg.Error) -> int:
    """Return WARNING for what passes by itself, ERROR for what an operator has to fix."""
    passes = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return logging.WARNING if passes else logging.ERROR


def message_of(error: psycopg.Error) -> str:
    """Return the log's message for an error."""
    is_old = isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn)
    return _OLD_SCHEMA if is_old else pooler_advice(str(error)) or "the calls cannot be read"


def fields_of(error: psycopg.Error) -> dict[str, str | None]:
    """Return the error's name, SQLSTATE and message, for the log."""
    return {"reason": type(error).__name__, "sqlstate": error.sqlstate, "said": said_by(error)}


def said_by(error: psycopg.Error) -> str | None:
    """Return PostgreSQL's or libpq's message in one line; the text before it may quote the URL."""
    before, _, message = str(error).partition("\n")[0].rpartition(" failed: ")
    return error.diag.message_primary or (message if before else None)
