"""Stubs that reach each worker of a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import grpc
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.server.stack import Server

if TYPE_CHECKING:
    from livecalls.v1.live_calls_pb2_grpc import LiveCallsAsyncStub


@asynccontextmanager
async def stubs_of(server: Server) -> AsyncIterator[list[LiveCallsAsyncStub]]:
    """Connect to each worker, directly."""
    async with AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(connected(server, port)) for port in server.ports]
        yield [LiveCallsStub(channel) for channel in channels]


@asynccontextmanager
async def connected(server: Server, worker: int) -> AsyncIterator[grpc.aio.Channel]:
    """Connect to one worker; if all share a port, try until the system has chosen this one."""
    async with AsyncExitStack() as stack:
        while True:
            # A connection of its own, not one that channels share.
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = grpc.aio.insecure_channel(server.address_of(worker), options)
            await stack.enter_async_context(channel)
            before = server.connections(worker)
            await channel.channel_ready()
            if server.connections(worker) > before:
                yield channel
                return
