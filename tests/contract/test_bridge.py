"""The bridge from Envoy's process to the test's own, by which tests serve embedded.

Whatever happens on one side, nobody waits for ever on the other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb

from server.application.call import Call
from server.transport.asgi.server import AsgiServer
from server.transport.asgi.types import Event, Headers, Receive, Send
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.envoy.bridge import HostError, bridged
from tests.support.envoy.bridge_application import sent
from tests.support.server.service import GET_CALL, Embedded, scripted_service

AT_ONCE = 60
REQUEST = pb.GetCallRequest(id=str(CALL_ID))
SCOPE = {"type": "http", "method": "POST", "raw_path": b"/", "headers": []}
START: Event = {"type": "http.response.start", "status": 200, "headers": []}
BODY: Event = {"type": "http.response.body", "body": b""}


class Scripted(AsgiServer):
    """A server that responds to a request by a script."""

    def __init__(self, script: Callable[[Receive, Send], Awaitable[Any]]) -> None:
        self._script = script
        self.outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def handle(
        self, verb: str, path: bytes, headers: Headers, receive: Receive, send: Send
    ) -> None:
        try:
            self.outcome.set_result(await self._script(receive, send))
        except Exception as error:  # noqa: BLE001 - the test raises it
            self.outcome.set_exception(error)


async def test_what_the_host_refuses_is_raised(embedded: Embedded) -> None:
    async def script(receive: Receive, send: Send) -> None:
        for event in (START, BODY, BODY):
            await send(event)

    server = Scripted(script)
    async with (
        bridged(server, embedded.folder),
        grpc.aio.insecure_channel(embedded.gateway.address) as channel,
    ):
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(GET_CALL)
        asked = call(b"")
        with pytest.raises(HostError, match="after response already completed"):
            await asyncio.wait_for(server.outcome, 5)
        asked.cancel()


async def test_no_request_gets_lost_among_many(embedded: Embedded) -> None:
    """The garbage collector of Envoy's process runs while they wait."""
    for _ in range(10):
        arrived, released = asyncio.Semaphore(0), asyncio.Event()
        async with scripted_service(embedded) as service:
            service.ports.answer = hold(arrived, released)
            calls = [asyncio.ensure_future(service.stub.GetCall(REQUEST)) for _ in range(AT_ONCE)]
            all_here = asyncio.gather(*(arrived.acquire() for _ in calls))
            first: list[asyncio.Future[Any]] = [all_here, *calls]
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            released.set()
            assert len(await asyncio.gather(*calls)) == AT_ONCE


def hold(arrived: asyncio.Semaphore, released: asyncio.Event) -> Callable[[str], Awaitable[Call]]:
    """Count the requests that have come, and respond once all may go on."""

    async def answer(_: str) -> Call:
        arrived.release()
        await released.wait()
        return PLAIN_CALL

    return answer


async def test_all_that_wait_are_told_that_the_host_has_gone(tmp_path: Path) -> None:
    async def script(receive: Receive, send: Send) -> list[Any]:
        waiting = (send(START), send(BODY), receive(), receive())
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    server = Scripted(script)
    async with bridged(server, tmp_path):
        _, writer = await asyncio.open_unix_connection(tmp_path / "bridge")
        sent(writer, SCOPE)
        writer.close()
        outcomes = await asyncio.wait_for(server.outcome, 5)
    assert [type(outcome) for outcome in outcomes[:2]] == [OSError, OSError]
    assert outcomes[2:] == [{"type": "http.disconnect"}] * 2
