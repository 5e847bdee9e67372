"""What Alembic runs around the migrations; the server hands it a connection, a contributor none."""

from alembic import context
from sqlalchemy import Connection

from server.config.database import DatabaseSettings
from server.store.engine import database_url, write_engine
from server.store.tables import metadata


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


if given := context.config.attributes.get("connection"):
    run(given)
else:
    with write_engine(database_url(DatabaseSettings())).connect() as opened:
        run(opened)
