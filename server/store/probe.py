"""Finds out whether the server can read the calls, with no more rights than it has."""

from sqlalchemy import select

from server.store.calls import COLUMNS
from server.store.engine import writing_engine


def probe_reads(url: str) -> None:
    """Read what the server reads, but no row; raises SQLAlchemyError if the server could not.

    It could not if a column is missing, it has no right to read one, or row level security would keep
    rows from it. Raises DatabaseUrlError.
    """
    with writing_engine(url).connect() as connection:
        connection.execute(select(*COLUMNS).limit(0))
