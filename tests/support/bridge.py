"""A server in the test's own loop that answers what an Envoy hands over: the other end of the bridge."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from server.transport.asgi.asgi_server import AsgiServer
from tests.support import bridge_application
from tests.support.bridge_application import received, sent
from tests.support.gateway import Gateway, gateway_with_application


@contextmanager
def bridging_gateway(folder: Path, **settings: str) -> Iterator[Gateway]:
    """Run the gateway with a bridge inside, which leads to the socket `bridge` in the folder."""
    application = f"{bridge_application.__name__}:application"
    socket = {bridge_application.SOCKET: str(folder / "bridge")}
    with gateway_with_application(application, folder, **socket, **settings) as gateway:
        yield gateway


@asynccontextmanager
async def bridged(server: AsgiServer, folder: Path) -> AsyncIterator[None]:
    """Let a server answer what the gateway of the folder takes, while the block lasts."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (scope,) = await received(reader)
        crossing = _Crossing(reader, writer)
        try:
            await server.answer(
                scope["method"], scope["raw_path"], scope["headers"], crossing.receive, crossing.send
            )
        finally:
            writer.close()
            crossing.listening.cancel()

    async with await asyncio.start_unix_server(answer, folder / "bridge"):
        yield


class _Crossing:
    """ASGI's receive and send of one request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._acknowledged: asyncio.Queue[str] = asyncio.Queue()
        self.listening = asyncio.create_task(self._listen())

    async def receive(self) -> Any:
        sent(self._writer, "receive")
        return await self._events.get()

    async def send(self, event: Any) -> None:
        sent(self._writer, "send", event)
        if await self._acknowledged.get() == "gone":
            raise OSError("the caller has gone")

    async def _listen(self) -> None:
        while True:
            try:
                word, *event = await received(self._reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                self._acknowledged.put_nowait("gone")
                return
            if word == "received":
                self._events.put_nowait(*event)
            else:
                self._acknowledged.put_nowait(word)
