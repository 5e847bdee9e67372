"""Servers for a load generator, by gRPC and by HTTP/1.1, that remember their requests."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Literal

import grpc
from aiohttp import web
from livecalls.v1 import live_calls_pb2 as pb

Protocol = Literal["grpc", "http1"]
Answer = Callable[[str], Awaitable[bytes | None]]
Respond = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


async def at_once(_: str) -> bytes | None:
    """Return any call."""
    return b"a call"


async def in_one_piece(_: web.Request, body: bytes) -> web.StreamResponse:
    """Respond as most servers do: with the body's length."""
    return web.Response(body=body)


@dataclass
class Target:
    """A server's responses, None if it has no such call, and its requests."""

    address: str = ""
    answer: Answer = at_once
    respond: Respond = in_one_piece
    """How HTTP/1.1 carries the response."""
    ids: Counter[str] = field(default_factory=Counter)
    tokens: set[str | None] = field(default_factory=set)
    peers: set[str] = field(default_factory=set)
    first_arrival: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    most_under_way: int = 0

    @property
    def arrived(self) -> int:
        """The number of requests."""
        return self.ids.total()

    @contextmanager
    def asked(self, call_id: str, token: str | None, peer: str) -> Iterator[None]:
        """Remember a request, which is under way while the block lasts."""
        self.first_arrival.set()
        self.ids[call_id] += 1
        self.tokens.add(token)
        self.peers.add(peer)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            yield
        finally:
            self.under_way -= 1


@asynccontextmanager
async def serving(protocol: Protocol) -> AsyncIterator[Target]:
    """Serve on an ephemeral port while the block lasts."""
    async with serving_grpc() if protocol == "grpc" else serving_http1() as target:
        yield target


@asynccontextmanager
async def serving_grpc(**options: int) -> AsyncIterator[Target]:
    """Serve gRPC, with options of gRPC's own."""
    target = Target()

    async def get_call(message: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        token = dict(context.invocation_metadata() or ()).get("authorization")
        call_id = pb.GetCallRequest.FromString(message).id
        with target.asked(call_id, str(token) if token else None, context.peer()):
            answer = await target.answer(call_id)
        if answer is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "No call has this id.")
        return answer

    server = grpc.aio.server(options=[(f"grpc.{name}", value) for name, value in options.items()])
    behaviour: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(get_call)
    handlers = {"GetCall": behaviour}
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("livecalls.v1.LiveCalls", handlers),)
    )
    target.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield target
    finally:
        await server.stop(0)


@asynccontextmanager
async def serving_http1() -> AsyncIterator[Target]:
    """Serve HTTP/1.1."""
    target = Target()

    async def get_call(request: web.Request) -> web.StreamResponse:
        call_id, token = request.match_info["id"], request.headers.get("authorization")
        host, port = request.get_extra_info("peername")
        with target.asked(call_id, token, f"{host}:{port}"):
            answer = await target.answer(call_id)
        if answer is None:
            raise web.HTTPNotFound
        return await target.respond(request, answer)

    application = web.Application()
    application.router.add_get("/v1/live/calls/{id}", get_call)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    target.address = f"{host}:{port}"
    try:
        yield target
    finally:
        await runner.cleanup()
