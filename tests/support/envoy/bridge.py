"""A server in the test's own loop that serves an Envoy's requests: the other end of the bridge."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from server.transport.asgi.server import AsgiServer
from tests.support.envoy import bridge_application
from tests.support.envoy.bridge_application import received, sent
from tests.support.envoy.gateway import Gateway, gateway_with_application


@contextmanager
def bridging_gateway(folder: Path, **settings: str) -> Iterator[Gateway]:
    """Run the gateway with an embedded bridge, which leads to the socket `bridge` in the folder."""
    application = f"{bridge_application.__name__}:application"
    socket = {bridge_application.SOCKET: str(folder / "bridge")}
    with gateway_with_application(application, folder, **socket, **settings) as gateway:
        yield gateway


@asynccontextmanager
async def bridged(server: AsgiServer, folder: Path) -> AsyncIterator[None]:
    """Let a server serve the requests of the folder's gateway, while the block lasts."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (scope,) = await received(reader)
        crossing = _Crossing(reader, writer)
        try:
            await server.handle(
                scope["method"], scope["raw_path"], scope["headers"], crossing.receive, crossing.send
            )
        finally:
            writer.close()
            crossing.listening.cancel()

    async with await asyncio.start_unix_server(answer, folder / "bridge"):
        yield


class HostError(Exception):
    """What the host raised, other than that the caller has gone."""


class _Crossing:
    """ASGI's receive and send of one request; either raises HostError, and send OSError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: dict[str, deque[asyncio.Future[Any]]] = {"receive": deque(), "send": deque()}
        self._gone = False
        self.listening = asyncio.create_task(self._listen())

    async def receive(self) -> Any:
        try:
            return await self._ask("receive")
        except OSError:
            return {"type": "http.disconnect"}

    async def send(self, event: Any) -> None:
        await self._ask("send", event)

    async def _ask(self, word: str, *event: Any) -> Any:
        if self._gone:
            raise OSError("the caller has gone")
        answer = asyncio.get_running_loop().create_future()
        self._waiting[word].append(answer)
        sent(self._writer, word, *event)
        return await answer

    async def _listen(self) -> None:
        """Pass each answer to its longest waiter, and the end to all that wait."""
        try:
            while True:
                word, outcome, *value = await received(self._reader)
                _settle(self._waiting[word].popleft(), outcome, *value)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._gone = True
            for answer in chain(*self._waiting.values()):
                _settle(answer, "gone")


def _settle(answer: asyncio.Future[Any], outcome: str, value: Any = None) -> None:
    if answer.done():
        return  # it was cancelled
    if outcome == "done":
        answer.set_result(value)
    else:
        answer.set_exception(OSError("the caller has gone") if outcome == "gone" else HostError(value))
