"""The server as an ASGI application, embedded in Envoy's process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import click

from server.auth.errors import AuthNotConfiguredError
from server.bootstrap import serving_inside
from server.config.loading import load_settings
from server.runtime.gc import tune_gc
from server.runtime.logs import logging_configured
from server.runtime.reuseport import steer_connections
from server.runtime.watchdog import watched
from server.store.engine import DatabaseUrlError
from server.transport.asgi.application import Application
from server.transport.asgi.server import AsgiServer


@asynccontextmanager
async def _serving() -> AsyncIterator[AsgiServer]:
    try:
        async with _configured() as server:
            yield server
    except (AuthNotConfiguredError, DatabaseUrlError, click.ClickException) as error:
        click.echo(f"Error: {error}", err=True)
        # Envoy would print it once more, with a traceback around it.
        os._exit(1)


@asynccontextmanager
async def _configured() -> AsyncIterator[AsgiServer]:
    settings = load_settings()
    with logging_configured(settings.server):
        stuck_seconds = settings.inside.inside_stuck_ms / 1000
        async with (
            serving_inside(settings) as server,
            watched(stuck_seconds),
            steer_connections(settings.server.workers),
        ):
            if settings.inside.inside_kept:
                _when_input_ends(server.announce_end)
            tune_gc()
            yield server


def _when_input_ends(call: Callable[[], None]) -> None:
    """Call once standard input has ended, on which nothing may arrive before."""
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(sys.stdin)
        call()

    loop.add_reader(sys.stdin, ended)


application = Application(_serving)
