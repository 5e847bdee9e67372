"""That the setting of the log's sampling reaches the servers, as the composition root builds them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from server.bootstrap import open_aio_server, open_asgi_server
from server.config.settings import Settings
from tests.support.envoy.asgi import HEADERS, Exchange, message
from tests.support.machine.settings import load
from tests.support.server.serve import without_database
from tests.support.server.service import GET_CALL

NOT_FOUND, REJECTED = pb.GetCallRequest(id="any"), pb.GetCallRequest()


async def ask_aio(settings: Settings, *requests: pb.GetCallRequest) -> None:
    async with (
        open_aio_server(settings) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        for request in requests:
            with pytest.raises(grpc.aio.AioRpcError):
                await LiveCallsStub(channel).GetCall(request)


async def ask_asgi(settings: Settings, *requests: pb.GetCallRequest) -> None:
    async with open_asgi_server(settings) as server:
        for request in requests:
            exchange = Exchange([message(request.SerializeToString())])
            path = GET_CALL.encode()
            # A task of its own, as the host has for each request.
            await asyncio.create_task(
                server.handle("POST", path, HEADERS, exchange.receive, exchange.send)
            )


@pytest.mark.parametrize("ask", [ask_aio, ask_asgi])
@pytest.mark.parametrize(
    ("ratio", "codes"), [("0", ["INVALID_ARGUMENT"]), ("1", ["NOT_FOUND", "INVALID_ARGUMENT"])]
)
async def test_successes_are_logged_by_the_ratio_and_errors_always(
    caplog: pytest.LogCaptureFixture,
    ask: Callable[..., Awaitable[None]],
    ratio: str,
    codes: list[str],
) -> None:
    caplog.set_level(logging.INFO)
    variables = {"GRPC_PORT": "0", "EMBEDDED_WAIT_READY": "0", "LOG_REQUESTS_RATIO": ratio}
    settings = load({**without_database(), **variables})
    await ask(settings, NOT_FOUND, REJECTED)
    lines = [vars(line) for line in caplog.records if line.name == "server.requests"]
    assert [line["code"] for line in lines] == codes
