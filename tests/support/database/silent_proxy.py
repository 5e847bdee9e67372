"""A TCP port in front of a database's socket, which can stop passing anything on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from psycopg.conninfo import conninfo_to_dict


class SilentProxy:
    """Forwards bytes both ways; while it is silent it drops them, and never closes a connection."""

    def __init__(self, database_url: str) -> None:
        self._database = conninfo_to_dict(database_url)
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.silent = False

    @property
    def url(self) -> str:
        """The URL of the database, through here."""
        return self.url_with()

    def url_with(self, *ports: int) -> str:
        """Return a URL with hosts of these ports, and this one as the last."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in (*ports, self.port))
        return f"postgresql://postgres:hunter2@{hosts}/{self._database['dbname']}?sslmode=disable"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen while the block lasts."""
        server = await asyncio.start_server(self._accept, "127.0.0.1")
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def left(self) -> None:
        """Wait until nobody is connected."""
        await asyncio.wait(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = f"{self._database['host']}/.s.PGSQL.{self._database['port']}"
        inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        self._tasks.add(asyncio.create_task(self._pass_on(reader, inner_writer)))
        self._tasks.add(asyncio.create_task(self._pass_on(inner_reader, writer)))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    if not self.silent:
                        writer.write(data)
        finally:
            writer.close()
