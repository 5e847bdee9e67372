"""Puts the service on grpc.aio."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health

from machine.request_size import MAX_REQUEST_BYTES
from server.transport.access_log import AccessLog
from server.transport.aio.call import behaviour
from server.transport.aio.health import health_handler
from server.transport.aio.reflection import reflection_handlers
from server.transport.live_calls import SERVICE, LiveCalls
from server.transport.metrics import MethodMetrics
from server.transport.reflection import Reflection

_UNBOUNDED = 2**31 - 1

OPTIONS = (
    # Bytes of metadata. Between the two, requests are refused at random; Envoy lets 60 KiB pass.
    ("grpc.max_metadata_size", 64 * 1024),
    ("grpc.absolute_max_metadata_size", 96 * 1024),
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    # Requests under way on a connection. Envoy puts all its callers on a few.
    ("grpc.max_concurrent_streams", 4096),
    # Requests that wait to be accepted: beyond the first number core cancels them at random, beyond the
    # second always, and after so many seconds too, without a line in any log. Instead all of them are
    # accepted, and rejected by the admission.
    ("grpc.server.max_pending_requests", _UNBOUNDED),
    ("grpc.server.max_pending_requests_hard_limit", _UNBOUNDED),
    ("grpc.server_max_unrequested_time_in_server", _UNBOUNDED),
    # No client may refer to headers of earlier requests on its connection. Core remembers there that it
    # could not parse one, and fails whoever refers to its name: behind a proxy that is another caller.
    # (Envoy's own setting for this has it break connections: core may not announce the change in size.)
    ("grpc.http2.hpack_table_size.decoder", 0),
    # How long a client may take for its handshakes, TLS or not, instead of two minutes.
    ("grpc.server_handshake_timeout_ms", 10_000),
    # Clients keep connections alive by pings, those of Go and Java every 10 s if so set, calls or none;
    # gRPC itself wants 5 minutes between two, and 2 hours without a call. Half of 10 s, for pings that
    # were delayed. Clients that send more than two too early are disconnected: responding takes time.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 2),
    # In the other direction, a client that is gone is noticed within 80 s, instead of 2 hours.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.http2.ping_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Both with no call under way, too.
    ("grpc.keepalive_permit_without_calls", 1),
    # What is under way on a connection that is too old: as long as reflection may take, the longest call
    # but for watching health, which clients restart.
    ("grpc.max_connection_age_grace_ms", 60_000),
)


@dataclass(frozen=True)
class Connections:
    """How connections are accepted, and how old they get."""

    shares_port: bool = False
    """Whether another server may listen on the same port, and take every other connection."""
    max_age_ms: int = 0
    """When callers have to open another, give or take a tenth; 0 is never."""

    def options(self) -> Iterator[tuple[str, int]]:
        """Yield gRPC's options for them."""
        yield ("grpc.so_reuseport", int(self.shares_port))
        if self.max_age_ms:
            yield ("grpc.max_connection_age_ms", self.max_age_ms)


class AddressTakenError(Exception):
    """The address cannot be listened on: it is taken, or none of this machine's."""

    def __init__(self, address: str) -> None:
        super().__init__(f"Cannot listen on {address}")


class ServerFailedError(Exception):
    """The server takes no more requests, though it was not stopped."""

    def __init__(self) -> None:
        super().__init__("gRPC takes no more requests: the process ends, to be started again")


class AioServer:
    """A gRPC server of the LiveCalls service and of gRPC's own: health, and optionally reflection.

    Without credentials it serves plain text.
    """

    def __init__(  # noqa: PLR0913 - what a server is made of
        self,
        service: LiveCalls,
        address: str,
        credentials: grpc.ServerCredentials | None = None,
        *,
        reflected: bool = False,
        connections: Connections = Connections(),
        access_log: AccessLog | None = None,
    ) -> None:
        self._server = grpc.aio.server(options=[*OPTIONS, *connections.options()])
        self._health = health.HealthServicer()
        self._ending = False
        self.serving = False
        """Whether its health is SERVING."""
        self._server.add_generic_rpc_handlers((health_handler(self._health),))
        self._access_log = access_log or AccessLog()
        self._server.add_generic_rpc_handlers((_handler(service, self._access_log),))
        if reflected:
            self._server.add_generic_rpc_handlers(reflection_handlers(Reflection()))
        self.port = self._listen(address, credentials)

    def _listen(self, address: str, credentials: grpc.ServerCredentials | None) -> int:
        try:
            if credentials:
                return self._server.add_secure_port(address, credentials)
            return self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise AddressTakenError(address) from error

    async def start(self) -> None:
        """Begin to serve; health is NOT_SERVING yet."""
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        before = asyncio.all_tasks()
        await self._server.start()
        self._accepting = asyncio.all_tasks() - before

    async def announce_ready(self) -> None:
        """Set its health to SERVING, unless its end is announced."""
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)

    async def announce_unready(self) -> None:
        """Set its health to NOT_SERVING until it is ready again."""
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)

    async def wait_failed(self) -> NoReturn:
        """Wait until it takes no more requests though it was not stopped, and raise ServerFailedError.

        grpc.aio decodes the path of a request as it accepts it, and stops accepting for good if that
        is not UTF-8. It does not report this, but the tasks that it began with end.
        """
        await asyncio.wait(self._accepting, return_when=asyncio.FIRST_EXCEPTION)
        raise ServerFailedError

    async def announce_end(self) -> None:
        """Set its health to NOT_SERVING, though requests are still served."""
        self.serving, self._ending = False, True
        await self._health.enter_graceful_shutdown()

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        self.serving = status == health_pb2.HealthCheckResponse.SERVING and not self._ending
        for name in ("", SERVICE):
            await self._health.set(name, status)

    async def stop(self, grace: float) -> None:
        """Take no more requests, give those under way so many seconds, and end."""
        await self.announce_end()
        with suppress(UnicodeError):  # the error behind failed() is raised here again
            await self._server.stop(grace)
        self._access_log.close()


def _handler(service: LiveCalls, access_log: AccessLog) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            name: grpc.unary_unary_rpc_method_handler(
                behaviour(MethodMetrics(SERVICE, name), method, access_log)
            )
            for name, method in service.methods.items()
        },
    )
