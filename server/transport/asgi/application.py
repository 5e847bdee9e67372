"""The ASGI application: starts and ends the server with its host, and hands it the requests."""

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from server.transport.asgi import readyz
from server.transport.asgi.dispatch import reject
from server.transport.asgi.rejections import not_serving
from server.transport.asgi.server import AsgiServer
from server.transport.asgi.types import Receive, Send

log = logging.getLogger("server")


class Application:
    """What the host calls for its lifespan, and then for each request; it must support both."""

    def __init__(self, serving: Callable[[], AbstractAsyncContextManager[AsgiServer]]) -> None:
        """Serve while the block that is made here lasts; it is entered in the host's loop."""
        self._serving = serving
        self._server: AsgiServer | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if self._server:
                await self._server.handle(
                    scope["method"], scope["raw_path"], scope["headers"], receive, send
                )
            elif scope["raw_path"] == readyz.PATH:
                await readyz.reply(scope["method"], send, serving=False)
            else:
                await reject(send, not_serving())
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start, and wait for the end; a failure is reported to the host, which does not start then."""
        event = "startup"
        try:
            await receive()
            async with self._serving() as server:
                self._server = server
                await send({"type": "lifespan.startup.complete"})
                event = "shutdown"
                await receive()
                self._server = None
        except Exception as error:
            log.exception("the server failed during its %s", event)
            await send({"type": f"lifespan.{event}.failed", "message": str(error)})
        else:
            await send({"type": "lifespan.shutdown.complete"})
