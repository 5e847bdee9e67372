"""Builds the server out of its parts, and takes it down again."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from server.application.get_call import GetCall
from server.application.ports import Calls, LiveStatuses
from server.config import DatabaseSettings, Settings, StreamSettings
from server.transport.aio_server import AioServer
from server.transport.live_calls import LiveCalls

log = logging.getLogger("server")


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[AioServer]:
    """Serve while the block lasts; requests under way get the settings' grace at its end.

    Raises AddressTakenError where the address cannot be listened on.
    """
    async with AsyncExitStack() as stack:
        calls = await stack.enter_async_context(stored_calls(settings.database))
        live_statuses = await stack.enter_async_context(stream_statuses(settings.stream))
        service = LiveCalls(GetCall(calls, live_statuses))
        server = AioServer(service, f"{settings.grpc_host}:{settings.grpc_port}")
        await server.start()
        stack.push_async_callback(server.stop, settings.shutdown_grace_ms / 1000)
        log.info("serving", extra={"port": server.port})
        yield server
