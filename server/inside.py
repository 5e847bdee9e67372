"""What Envoy runs in its own process: the server as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.bootstrap import serving_inside
from server.commands.settings import load_settings
from server.garbage import spare_the_collector
from server.logs import logging_configured
from server.transport.asgi.application import Application
from server.transport.asgi.asgi_server import AsgiServer


@asynccontextmanager
async def _serving() -> AsyncIterator[AsgiServer]:
    settings = load_settings()
    with logging_configured(settings.server):
        async with serving_inside(settings) as server:
            spare_the_collector()
            yield server


application = Application(_serving)
