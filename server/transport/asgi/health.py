"""gRPC's health service (grpc.health.v1): whether the server takes requests."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2
from grpc_health.v1 import health_pb2 as pb

from server.transport.asgi.rejections import RejectedError, malformed_message, too_many_watchers

MAX_WATCHERS = 100
"""A watcher needs no token, and takes some memory for as long as it likes."""

Request = TypeVar("Request", bound=Message)


class Health:
    """The health of some services, and as "" of the whole server: SERVING at first."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._watchers = 0
        self._serving = True
        self._ended = False
        self._changed = asyncio.Event()

    @property
    def serving(self) -> bool:
        """Whether it reports SERVING."""
        return self._serving

    def report(self, *, serving: bool) -> None:
        """Report SERVING or NOT_SERVING from now on, to watchers too; after the end it has no effect."""
        if self._ended or serving == self._serving:
            return
        self._serving = serving
        self._changed.set()
        self._changed = asyncio.Event()

    def end(self) -> None:
        """Report NOT_SERVING for good."""
        self.report(serving=False)
        self._ended = True

    async def check(self, request: bytes) -> AsyncGenerator[bytes, None]:
        """Serve Health.Check; raises RejectedError, NOT_FOUND for a service that is not known."""
        name = _service_of(request)
        if name not in self._names:
            raise RejectedError(code_pb2.NOT_FOUND, "")
        yield self._status(name)

    async def watch(self, request: bytes) -> AsyncGenerator[bytes, None]:
        """Serve Health.Watch: the current status, and then each change; a service may also be unknown.

        Raises RejectedError, RESOURCE_EXHAUSTED for one more than MAX_WATCHERS.
        """
        name = _service_of(request)
        if self._watchers == MAX_WATCHERS:
            raise too_many_watchers()
        self._watchers += 1
        told = b""
        try:
            while True:
                changed, status = self._changed, self._status(name)
                if status != told:
                    told = status
                    yield status
                await changed.wait()
        finally:
            self._watchers -= 1

    def _status(self, name: str) -> bytes:
        if name not in self._names:
            status = pb.HealthCheckResponse.SERVICE_UNKNOWN
        elif self._serving:
            status = pb.HealthCheckResponse.SERVING
        else:
            status = pb.HealthCheckResponse.NOT_SERVING
        response: bytes = pb.HealthCheckResponse(status=status).SerializeToString()
        return response


def decode(kind: type[Request], request: bytes) -> Request:
    """Decode a request; raises RejectedError if it is no such message."""
    try:
        return kind.FromString(request)
    except DecodeError:
        raise malformed_message("Exception deserializing request!") from None


def _service_of(request: bytes) -> str:
    service: str = decode(pb.HealthCheckRequest, request).service
    return service
