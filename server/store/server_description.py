"""Queries a PostgreSQL's version, which shows that it responds."""

from sqlalchemy import text

from server.store.engine import write_engine

_ASKED = text("SELECT current_setting('server_version'), current_setting('server_encoding')")
_HOLDS_ALL = "UTF8"


def describe_server(url: str) -> str:
    """Return the version, such as "PostgreSQL 18.1", and an encoding that does not hold every title.

    Raises DatabaseUrlError, and SQLAlchemyError if there is no response.
    """
    with write_engine(url).connect() as connection:
        version, encoding = connection.execute(_ASKED).one()
    limit = (
        "" if encoding == _HOLDS_ALL else f"; its encoding {encoding} is not for every title: UTF8 is"
    )
    return f"PostgreSQL {version}{limit}"
