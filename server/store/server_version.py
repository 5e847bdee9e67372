"""Asks a PostgreSQL for its version, which shows that it answers."""

from sqlalchemy import text

from server.store.engine import writing_engine


def server_version(url: str) -> str:
    """Tell the version, such as "18.1".

    Raises DatabaseUrlError, and SQLAlchemyError where there is no answer.
    """
    with writing_engine(url).connect() as connection:
        return str(connection.scalar(text("SHOW server_version")))
