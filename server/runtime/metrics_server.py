"""Serves the process's metrics to Prometheus, at `/metrics` on a port of its own."""

import asyncio
import logging
import math
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from threading import Thread

from prometheus_client import MetricsHandler
from prometheus_client.exposition import choose_encoder

from machine.addresses import find_obstacle
from server.config.server import ServerSettings
from server.runtime.metrics import describe_build, measure_lag

PATH = "/metrics"
MAX_SCRAPES = 8
"""Connections at once at most; more are closed."""
MAX_SCRAPES_PER_SECOND = 10
"""More wait in the kernel: threads that write pages hold up the event loop."""
MAX_BURST = 20
"""Scrapes that may come at once, after a pause."""
SCRAPE_SECONDS = 5.0
"""How long a connection may last, whatever the client does."""
RETRY_SECONDS = 0.1
PATIENCE_SECONDS = 30.0
"""After how long a port that stays taken is logged: a worker that is replaced has it for a while."""

log = logging.getLogger("server.metrics")


class MetricsAddressError(Exception):
    """Metrics cannot be served at their address; the message is one line with the setting."""


class MetricsServer:
    """Accepts scrapes in the event loop, and serves each in a thread, for up to SCRAPE_SECONDS."""

    def __init__(self) -> None:
        self._under_way = 0
        self._paid_until = -math.inf
        self._serving: asyncio.Task[None] | None = None

    def start(self, settings: ServerSettings, listener: socket.socket | None) -> None:
        """Serve on a socket that listens, or without one on the port as soon as it is free."""
        self._serving = asyncio.create_task(self._serve(settings, listener))

    def stop(self) -> None:
        """Let go of the port; scrapes under way are served to their end."""
        if self._serving:
            self._serving.cancel()

    async def _serve(self, settings: ServerSettings, listener: socket.socket | None) -> None:
        with listener or await _listen_when_free(settings) as listening:
            log.info("serving metrics", extra={"port": settings.metrics_port})
            while True:
                await self._accept(listening)
                await self._pace()

    async def _pace(self) -> None:
        """Wait until the next scrape may begin."""
        now = asyncio.get_running_loop().time()
        self._paid_until = max(self._paid_until, now) + 1 / MAX_SCRAPES_PER_SECOND
        await asyncio.sleep(self._paid_until - (MAX_BURST - 1) / MAX_SCRAPES_PER_SECOND - now)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection, _ = await loop.sock_accept(listener)
        except OSError:  # no descriptor is left, or the client has gone
            await asyncio.sleep(RETRY_SECONDS)
            return
        if self._under_way == MAX_SCRAPES:
            connection.close()
            return
        self._under_way += 1
        limit = loop.call_later(SCRAPE_SECONDS, _cut, connection)

        def end() -> None:
            limit.cancel()
            self._under_way -= 1

        scraping = Thread(target=_scrape, args=(connection, loop, end), name="metrics", daemon=True)
        try:
            scraping.start()
        except RuntimeError:  # the system has no room for a thread
            connection.close()
            end()


@asynccontextmanager
async def serve_metrics(settings: ServerSettings, *, supervised: bool) -> AsyncIterator[MetricsServer]:
    """Serve metrics while the block lasts, or until the server is stopped; none if they are off.

    A supervised worker takes the port once that which it replaces has let go of it. Others raise
    MetricsAddressError if it is taken.
    """
    server = MetricsServer()
    if not settings.metrics_port:
        yield server
        return
    describe_build()
    server.start(settings, None if supervised else _listen(settings))
    try:
        async with measure_lag():
            yield server
    finally:
        server.stop()


def _listen(settings: ServerSettings) -> socket.socket:
    host, port = settings.metrics_host, settings.metrics_port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        listener = socket.create_server(address, family=family, dualstack_ipv6=host == "::")
    except OSError as error:
        obstacle = find_obstacle(host, port)
        message = obstacle.describe(host, port, "METRICS") if obstacle else str(error)
        raise MetricsAddressError(message) from None
    listener.settimeout(0)
    return listener


async def _listen_when_free(settings: ServerSettings) -> socket.socket:
    loop = asyncio.get_running_loop()
    patient_until = loop.time() + PATIENCE_SECONDS
    while True:
        try:
            return _listen(settings)
        except MetricsAddressError as error:
            if loop.time() > patient_until:
                log.warning("metrics cannot be served yet", extra={"reason": str(error)})
                patient_until = math.inf
        await asyncio.sleep(RETRY_SECONDS)


class _Handler(MetricsHandler):
    """Serves one path, and refuses an `Accept` that MetricsHandler would raise an error for."""

    def do_GET(self) -> None:  # noqa: N802 - named by http.server
        """Send the metrics, 404 for another path, or 400."""
        if self.path.partition("?")[0] != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            choose_encoder(self.headers.get("Accept", ""))
        except (TypeError, ValueError):  # its version is no number
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        super().do_GET()


def _scrape(connection: socket.socket, loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
    try:
        with connection, suppress(OSError):  # the client has gone, or was too slow
            connection.settimeout(SCRAPE_SECONDS)
            _Handler(connection, ("", 0), None)  # type: ignore[arg-type]  # it needs no server
    finally:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(end)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended
        connection.shutdown(socket.SHUT_RDWR)
