"""Serves gRPC in this process, until it is asked to stop."""

import asyncio
import logging
import signal
from contextlib import suppress

import click
import uvloop

from machine.addresses import find_obstacle
from machine.gc import leave_start_alone
from server.auth.errors import AuthNotConfiguredError
from server.bootstrap import open_aio_server
from server.config.server import ServerSettings
from server.config.settings import Settings
from server.runtime.logs import configure_logging
from server.runtime.metrics_server import MetricsAddressError, MetricsServer, serve_metrics
from server.runtime.tracing import open_tracing
from server.store.engine import DatabaseUrlError
from server.supervision.workers import SERVING
from server.transport.aio.server import AddressTakenError, AioServer, ServerFailedError
from server.transport.aio.tls.certificates import CertificateFilesError

_FATAL = (
    *(AuthNotConfiguredError, CertificateFilesError, DatabaseUrlError, MetricsAddressError),
    ServerFailedError,
)

log = logging.getLogger("server")


def answer(settings: Settings, *, supervised: bool) -> None:
    """Serve until SIGTERM or Ctrl-C.

    A supervised one reports on standard output that it serves, and shares its port with its replacement:
    at SIGHUP its health becomes NOT_SERVING, and the port of its metrics free.
    Raises click.ClickException if it cannot.
    """
    try:
        with configure_logging(settings.server), open_tracing(settings.tracing):
            uvloop.run(_serve(settings, supervised=supervised))
    except AddressTakenError as error:
        raise click.ClickException(_obstacle_message(settings.server) or str(error)) from None
    except _FATAL as error:
        raise click.ClickException(str(error)) from None


def _obstacle_message(settings: ServerSettings) -> str | None:
    """Describe what gRPC does not report: whether the port is taken or the address wrong."""
    host, port = settings.grpc_host, settings.grpc_port
    obstacle = find_obstacle(host, port)
    return obstacle.describe(host, port) if obstacle else None


async def _serve(settings: Settings, *, supervised: bool) -> None:
    told_to_end, told_again = asyncio.Event(), asyncio.Event()

    def request_end() -> None:
        (told_again if told_to_end.is_set() else told_to_end).set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, request_end)
    serving_on = asyncio.create_task(_serve_on(settings, told_again, supervised=supervised))
    stop = asyncio.create_task(told_to_end.wait())
    await asyncio.wait((serving_on, stop), return_when=asyncio.FIRST_COMPLETED)
    if stop.done():
        log.info("shutting down")
        serving_on.cancel()
    stop.cancel()
    with suppress(asyncio.CancelledError):
        await serving_on


async def _serve_on(settings: Settings, told_again: asyncio.Event, *, supervised: bool) -> None:
    """Serve until cancelled, perhaps before it is ready, or until the server fails.

    Once cancelled it serves on for the configured delay, or until it is told again to end.
    """
    async with (
        serve_metrics(settings.server, supervised=supervised) as metrics,
        open_aio_server(settings, shares_port=supervised) as server,
    ):
        leave_start_alone()
        notifying = asyncio.create_task(_notify_supervisor(server, metrics)) if supervised else None
        try:
            await server.wait_failed()
        except asyncio.CancelledError:
            await _let_others_notice(server, told_again, settings.server.drain_delay_ms / 1000)
            raise
        finally:
            if notifying:
                notifying.cancel()


async def _let_others_notice(server: AioServer, told_again: asyncio.Event, seconds: float) -> None:
    """Let load balancers notice that it ends while it still serves, unless it was not ready for them."""
    if not server.serving:
        return
    await server.announce_end()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await told_again.wait()


async def _notify_supervisor(server: AioServer, metrics: MetricsServer) -> None:
    """Report to the supervisor that it serves, and give way to a replacement at its SIGHUP."""
    giving_way = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, giving_way.set)
    click.echo(SERVING)
    await giving_way.wait()
    metrics.stop()
    await server.announce_end()
