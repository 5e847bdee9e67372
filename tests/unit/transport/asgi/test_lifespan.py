"""How the application starts and ends with its host."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.rpc import code_pb2

from server.transport.asgi.application import Application
from server.transport.asgi.server import AsgiServer
from server.transport.asgi.types import Event
from tests.support.data.calls import PLAIN_CALL
from tests.support.envoy.asgi import HEADERS, REQUEST, Exchange, Reply, hosted
from tests.support.server.service import GET_CALL


class Life:
    """A host, from start to end; it sends the second event only once the first was acknowledged."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.answers: asyncio.Queue[Event] = asyncio.Queue()

    async def receive(self) -> Event:
        return {"type": await self.told.get()}

    async def send(self, event: Event) -> None:
        self.answers.put_nowait(event)

    async def tell(self, event: str) -> Event:
        self.told.put_nowait(event)
        async with asyncio.timeout(5):
            return await self.answers.get()


@asynccontextmanager
async def serving() -> AsyncIterator[AsgiServer]:
    async with hosted() as service:
        service.ports.holds(PLAIN_CALL)
        yield service.server


async def asked(application: Application) -> Reply:
    exchange = Exchange([REQUEST])
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "raw_path": GET_CALL.encode(), "headers": HEADERS,
    }  # fmt: skip
    await application(scope, exchange.receive, exchange.send)
    return exchange.reply


async def test_it_answers_between_start_and_end_and_refuses_before_and_after() -> None:
    application, life = Application(serving), Life()
    assert (await asked(application)).code == code_pb2.UNAVAILABLE
    living = asyncio.create_task(application({"type": "lifespan"}, life.receive, life.send))
    assert await life.tell("lifespan.startup") == {"type": "lifespan.startup.complete"}
    assert (await asked(application)).code == code_pb2.OK
    assert await life.tell("lifespan.shutdown") == {"type": "lifespan.shutdown.complete"}
    await living
    assert (await asked(application)).code == code_pb2.UNAVAILABLE


@pytest.mark.parametrize("event", ["startup", "shutdown"])
async def test_what_fails_is_told_to_the_host(event: str, caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def failing() -> AsyncIterator[AsgiServer]:
        if event == "startup":
            raise ZeroDivisionError("no settings")
        async with serving() as server:
            yield server
        raise ZeroDivisionError("no settings")

    life = Life()
    living = asyncio.create_task(Application(failing)({"type": "lifespan"}, life.receive, life.send))
    answer = await life.tell("lifespan.startup")
    if event == "shutdown":
        answer = await life.tell("lifespan.shutdown")
    assert answer == {"type": f"lifespan.{event}.failed", "message": "no settings"}
    assert "ZeroDivisionError" in caplog.text
    await living
