"""The gRPC service in the test's own loop, on scripted ports, standalone or embedded."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from server.application.get_call import GetCall
from server.auth.authenticator import AllowAll, Authenticator
from server.transport.admission import Admission
from server.transport.aio.server import AioServer, Connections
from server.transport.asgi.server import AsgiServer
from server.transport.live_calls import LiveCalls
from tests.support.data.calls import ScriptedPorts
from tests.support.envoy.bridge import bridged
from tests.support.envoy.gateway import Gateway

if TYPE_CHECKING:
    from livecalls.v1.live_calls_pb2_grpc import LiveCallsAsyncStub

GET_CALL = "/livecalls.v1.LiveCalls/GetCall"

ANY_AGE = Connections()

Detail = TypeVar("Detail", bound=Message)


@dataclass
class Service:
    """A real gRPC server on scripted ports, and a client of it."""

    ports: ScriptedPorts
    port: int
    channel: grpc.aio.Channel
    stub: LiveCallsAsyncStub


@dataclass(frozen=True)
class Standalone:
    """The standalone server, on grpc.aio."""

    longest_wait = math.inf
    """Seconds that a caller without a deadline may wait."""
    too_much_metadata = grpc.StatusCode.RESOURCE_EXHAUSTED
    """The status of a request with 97 KiB of them."""

    @asynccontextmanager
    async def serving(self, service: LiveCalls) -> AsyncIterator[int]:
        """Serve on a port while the block lasts, and yield the port."""
        async with _running(AioServer(service, "127.0.0.1:0", reflected=True)) as port:
            yield port


@dataclass(frozen=True)
class Embedded:
    """The server embedded in Envoy."""

    gateway: Gateway
    folder: Path

    longest_wait = 60.0
    too_much_metadata = grpc.StatusCode.UNAVAILABLE

    @asynccontextmanager
    async def serving(self, service: LiveCalls) -> AsyncIterator[int]:
        """Serve on a port while the block lasts, and yield the port."""
        server = AsgiServer(service, reflected=True)
        async with bridged(server, self.folder):
            yield int(self.gateway.address.rpartition(":")[2])
            await server.stop(0)


Deployment = Standalone | Embedded


@asynccontextmanager
async def scripted_service(
    deployment: Deployment, guard: Authenticator | None = None, max_requests: int = 2000
) -> AsyncIterator[Service]:
    """Serve on scripted ports while the block lasts."""
    ports = ScriptedPorts()
    admission = Admission(guard or AllowAll(), max_requests)
    async with (
        deployment.serving(LiveCalls(GetCall(ports, ports), admission)) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield Service(ports, port, channel, LiveCallsStub(channel))


@asynccontextmanager
async def scripted_server(
    ports: ScriptedPorts,
    credentials: grpc.ServerCredentials | None = None,
    connections: Connections = ANY_AGE,
) -> AsyncIterator[int]:
    """Serve by grpc.aio on an ephemeral port while the block lasts, and yield the port."""
    service = LiveCalls(GetCall(ports, ports), Admission(AllowAll(), 2000))
    server = AioServer(service, "127.0.0.1:0", credentials, connections=connections)
    async with _running(server) as port:
        yield port


@asynccontextmanager
async def _running(server: AioServer) -> AsyncIterator[int]:
    await server.start()
    await server.announce_ready()
    try:
        yield server.port
    finally:
        await server.stop(0)


def detail_of(error: grpc.aio.AioRpcError, kind: type[Detail]) -> Detail:
    """Read the one detail of a kind that an error carries."""
    status = Status.FromString(trailer_of(error, "grpc-status-details-bin"))
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    (packed,) = (detail for detail in status.details if detail.Is(kind.DESCRIPTOR))
    detail = kind()
    packed.Unpack(detail)
    return detail


def trailer_of(error: grpc.aio.AioRpcError, key: str) -> bytes:
    """Read a trailer that an error carries once."""
    (value,) = (value for name, value in error.trailing_metadata() or () if name == key)
    return value if isinstance(value, bytes) else value.encode()


async def raw(service: Service, method: str, request: bytes) -> bytes:
    """Send raw bytes to a method."""
    send: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = service.channel.unary_unary(method)
    return await send(request)
