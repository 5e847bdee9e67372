"""What Envoy runs in its own process: the server as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.bootstrap import serving_inside
from server.commands.settings import load_settings
from server.garbage import spare_the_collector
from server.logs import logging_configured
from server.transport.asgi.application import Application
from server.transport.asgi.asgi_server import AsgiServer
from server.watchdog import watched


@asynccontextmanager
async def _serving() -> AsyncIterator[AsgiServer]:
    settings = load_settings()
    with logging_configured(settings.server):
        stuck_seconds = settings.inside.inside_stuck_ms / 1000
        async with serving_inside(settings) as server, watched(stuck_seconds):
            spare_the_collector()
            yield server


application = Application(_serving)
