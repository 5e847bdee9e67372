"""The server as an ASGI application, embedded in Envoy's process."""

from machine.gc import collect_only_new, leave_start_alone, spare_imports

spare_imports()

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import click

from server.auth.errors import AuthNotConfiguredError
from server.bootstrap import open_asgi_server
from server.config.loading import load_settings
from server.runtime.logs import configure_logging
from server.runtime.metrics_server import MetricsAddressError, serve_metrics
from server.runtime.reuseport import steer_connections
from server.runtime.tracing import open_tracing
from server.runtime.watchdog import watch_loop
from server.store.engine import DatabaseUrlError
from server.transport.asgi.application import Application
from server.transport.asgi.server import AsgiServer

_FATAL = (AuthNotConfiguredError, DatabaseUrlError, MetricsAddressError, click.ClickException)


@asynccontextmanager
async def _open_server_or_exit() -> AsyncIterator[AsgiServer]:
    try:
        async with _open_server() as server:
            yield server
    except _FATAL as error:
        click.echo(f"Error: {error}", err=True)
        # Envoy would print it once more, with a traceback around it.
        os._exit(1)


@asynccontextmanager
async def _open_server() -> AsyncIterator[AsgiServer]:
    collect_only_new()
    settings = load_settings()
    with configure_logging(settings.server), open_tracing(settings.tracing):
        stuck_seconds = settings.embedded.watchdog_timeout_ms / 1000
        supervised = settings.embedded.embedded_supervised
        async with (
            serve_metrics(settings.server, supervised=supervised) as metrics,
            open_asgi_server(settings) as server,
            watch_loop(stuck_seconds),
            steer_connections(settings.embedded.embedded_rest_port, settings.server.workers),
        ):
            if supervised:
                _when_input_ends(metrics.stop, server.announce_end)
            leave_start_alone()
            yield server


def _when_input_ends(*calls: Callable[[], None]) -> None:
    """Make calls once standard input has ended, on which nothing may arrive before."""
    loop = asyncio.get_running_loop()

    def on_end() -> None:
        loop.remove_reader(sys.stdin)
        for call in calls:
            call()

    loop.add_reader(sys.stdin, on_end)


application = Application(_open_server_or_exit)
