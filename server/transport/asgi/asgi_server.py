"""Puts the service on ASGI, as aio_server.py puts it on grpc.aio."""

import asyncio
from collections.abc import Mapping
from typing import cast

from server.transport.access_log import AccessLog
from server.transport.asgi.health import SERVICE as HEALTH
from server.transport.asgi.health import Health
from server.transport.asgi.interface import Headers, Receive, Send
from server.transport.asgi.methods import Answering, bidirectional, server_streaming, unary
from server.transport.asgi.protocol import answer
from server.transport.asgi.reflection import SERVICES as REFLECTION
from server.transport.asgi.reflection import Reflection
from server.transport.live_calls import SERVICE, LiveCalls


class AsgiServer:
    """Answers requests of the LiveCalls service and of gRPC's own for health and reflection."""

    def __init__(self, service: LiveCalls) -> None:
        self._access_log = AccessLog()
        self._health = Health(("", SERVICE))
        self._under_way: set[asyncio.Task[object]] = set()
        self._answering = {
            **_service_methods(service, self._access_log),
            **_own_methods(self._health, Reflection((SERVICE, HEALTH))),
        }

    async def answer(
        self, verb: str, path: bytes, headers: Headers, receive: Receive, send: Send
    ) -> None:
        """Answer one request, whatever it is, and never raise."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._under_way.add(task)
        try:
            await answer(self._answering.get(path), verb, headers, receive, send)
        finally:
            self._under_way.discard(task)

    def announce_end(self) -> None:
        """Let its health say that nothing is served any more, though requests still are."""
        self._health.end()

    async def stop(self, grace: float) -> None:
        """Say that it ends, give requests under way so many seconds, and end those that are left."""
        self.announce_end()
        if self._under_way:
            _, left = await asyncio.wait(self._under_way, timeout=grace)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        self._access_log.close()


def _service_methods(service: LiveCalls, access_log: AccessLog) -> Mapping[bytes, Answering]:
    return {
        _path(SERVICE, name): unary(name, method, access_log) for name, method in service.methods.items()
    }


def _own_methods(health: Health, reflection: Reflection) -> Mapping[bytes, Answering]:
    info = bidirectional(reflection.server_reflection_info)
    return {
        _path(HEALTH, "Check"): server_streaming(health.check),
        _path(HEALTH, "Watch"): server_streaming(health.watch),
        **{_path(service, "ServerReflectionInfo"): info for service in REFLECTION},
    }


def _path(service: str, method: str) -> bytes:
    return f"/{service}/{method}".encode()
