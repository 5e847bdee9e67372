"""Puts the service on ASGI, as aio/server.py puts it on grpc.aio."""

import asyncio
from collections.abc import Mapping
from typing import cast

from server.runtime.tasks import wait_for_end
from server.transport.access_log import AccessLog
from server.transport.asgi import readyz
from server.transport.asgi.dispatch import dispatch
from server.transport.asgi.handlers import Handler, server_streaming_handler, unary_handler
from server.transport.asgi.health import Health
from server.transport.asgi.reflection import reflection_handler
from server.transport.asgi.types import Headers, Receive, Send
from server.transport.live_calls import SERVICE, LiveCalls
from server.transport.metrics import MethodMetrics
from server.transport.reflection import HEALTH, METHOD, SERVICES, Reflection


class AsgiServer:
    """Serves the LiveCalls service and gRPC's own: health, and optionally reflection."""

    def __init__(
        self, service: LiveCalls, *, reflected: bool = False, access_log: AccessLog | None = None
    ) -> None:
        self._access_log = access_log or AccessLog()
        self._health = Health(("", SERVICE))
        self._under_way: set[asyncio.Task[object]] = set()
        self._handlers = {
            **_service_methods(service, self._access_log),
            **_health_methods(self._health),
            **(_reflection_methods(Reflection()) if reflected else {}),
        }

    async def handle(
        self, verb: str, path: bytes, headers: Headers, receive: Receive, send: Send
    ) -> None:
        """Serve one request, whatever it is, and never raise."""
        handler = self._handlers.get(path)
        if handler is None and path == readyz.PATH:
            await readyz.reply(verb, send, serving=self._health.serving)
            return
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._under_way.add(task)
        try:
            await dispatch(handler, verb, headers, receive, send)
        finally:
            self._under_way.discard(task)

    async def announce_ready(self) -> None:
        """Set its health to SERVING, as it is at first, unless its end is announced."""
        self._health.report(serving=True)

    async def announce_unready(self) -> None:
        """Set its health to NOT_SERVING until it is ready again."""
        self._health.report(serving=False)

    def announce_end(self) -> None:
        """Set its health to NOT_SERVING, though requests are still served."""
        self._health.end()

    async def stop(self, grace: float) -> None:
        """Announce the end, give requests under way so many seconds, and cancel those that are left.

        It takes MAX_END_SECONDS more at most, whatever the host does.
        """
        self.announce_end()
        try:
            if self._under_way:
                _, left = await asyncio.wait(self._under_way, timeout=grace)
                for task in left:
                    task.cancel()
                await wait_for_end(left, "requests")
        finally:
            self._access_log.close()


def _service_methods(service: LiveCalls, access_log: AccessLog) -> Mapping[bytes, Handler]:
    return {
        _path(SERVICE, name): unary_handler(MethodMetrics(SERVICE, name), method, access_log)
        for name, method in service.methods.items()
    }


def _health_methods(health: Health) -> Mapping[bytes, Handler]:
    return {
        _path(HEALTH, "Check"): server_streaming_handler(health.check),
        _path(HEALTH, "Watch"): server_streaming_handler(health.watch),
    }


def _reflection_methods(reflection: Reflection) -> Mapping[bytes, Handler]:
    handler = reflection_handler(reflection)
    return {_path(service, METHOD): handler for service in SERVICES}


def _path(service: str, method: str) -> bytes:
    return f"/{service}/{method}".encode()
