"""The server itself, but for sharing: every request has a SELECT and a connection of its own.

A caller waits for the row as long as it takes, and trouble with the database is a fault: both
favour it. It is meant for one caller at a time, as nothing bounds its connections.
"""

import os
from unittest.mock import patch

from sqlalchemy import Text, Uuid, bindparam, cast, select

from server import bootstrap
from server.application.call import Call
from server.commands.serve import serve
from server.config.database import DatabaseSettings
from server.store.calls import COLUMNS, DIALECT, read_as
from server.store.connections import Connections
from server.store.rows import unpack
from server.store.tables import calls

_SELECT = str(
    select(*map(read_as, COLUMNS))
    .where(calls.c.id == cast(bindparam("id", type_=Text), Uuid))
    .compile(dialect=DIALECT)
)


class OneSelectEach:
    """The calls in PostgreSQL; an implementation of the port Calls."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._connections = Connections(settings, _SELECT)

    async def find(self, call_id: str) -> Call | None:
        rows = await self._connections.rows(call_id)
        return unpack(rows[0]) if rows else None

    async def aclose(self) -> None:
        await self._connections.aclose()


if __name__ == "__main__":
    os.environ["GRPC_PORT"] = os.environ["PORT"]
    with patch.object(bootstrap, "StoredCalls", OneSelectEach):
        serve()
