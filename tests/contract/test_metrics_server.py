"""How metrics are served: when their port is taken, and to clients that are slow, many, or gone."""

import asyncio
import logging
import socket
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from time import monotonic
from unittest.mock import Mock

import pytest
from prometheus_client import REGISTRY, Metric

from demo.ports import free_port
from server.config.server import ServerSettings
from server.runtime import metrics_server
from server.runtime.metrics_server import MetricsAddressError, MetricsServer, serve_metrics
from tests.support.callers.metrics import scrape
from tests.support.callers.rest import send_raw
from tests.support.envoy.asgi import until
from tests.support.machine.ipv6 import needs_ipv6

REQUEST = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def settings() -> ServerSettings:
    return ServerSettings(metrics_port=free_port())


@pytest.fixture
async def server(settings: ServerSettings) -> AsyncIterator[MetricsServer]:
    async with serve_metrics(settings, supervised=False) as server:
        yield server


async def serves(settings: ServerSettings) -> bool:
    """Return whether the metrics can be scraped."""
    try:
        return "livecalls_build_info" in str(await asyncio.to_thread(scrape, settings.metrics_port))
    except OSError:
        return False


async def until_serving(settings: ServerSettings) -> None:
    async with asyncio.timeout(5):
        while not await serves(settings):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


def connect(settings: ServerSettings) -> socket.socket:
    return socket.create_connection((settings.metrics_host, settings.metrics_port), 5)


async def test_a_taken_port_is_an_error_that_names_the_setting(settings: ServerSettings) -> None:
    address = ("127.0.0.1", settings.metrics_port)
    with socket.create_server(address), pytest.raises(MetricsAddressError) as raised:
        async with serve_metrics(settings, supervised=False):
            pass
    assert str(raised.value) == (
        f"Cannot listen on 127.0.0.1:{settings.metrics_port}: Address already in use: "
        "name another with METRICS_PORT="
    )


async def test_a_wrong_host_is_too(settings: ServerSettings) -> None:
    settings = settings.model_copy(update={"metrics_host": "192.0.2.1"})
    with pytest.raises(MetricsAddressError, match=r"name another with METRICS_HOST=$"):
        async with serve_metrics(settings, supervised=False):
            pass


async def test_a_replacement_has_the_port_as_soon_as_it_is_let_go(
    settings: ServerSettings, server: MetricsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve_metrics(settings, supervised=True):
        assert await serves(settings)
        server.stop()
        await until_serving(settings)
    assert [line.message for line in caplog.records if line.levelno >= logging.WARNING] == []
    await asyncio.sleep(0)
    assert not await serves(settings)


async def test_a_port_that_stays_taken_is_logged_once(
    settings: ServerSettings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_server, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(metrics_server, "RETRY_SECONDS", 0.001)
    listening = Mock(wraps=metrics_server._listen)
    monkeypatch.setattr(metrics_server, "_listen", listening)
    with socket.create_server(("127.0.0.1", settings.metrics_port)):
        async with serve_metrics(settings, supervised=True):
            await until(lambda: listening.call_count > 5)
    (line,) = (line for line in caplog.records if line.levelno >= logging.WARNING)
    assert line.message == "metrics cannot be served yet"
    assert vars(line)["reason"].endswith("Address already in use: name another with METRICS_PORT=")


async def status_of(settings: ServerSettings, path: str, accept: str = "*/*") -> int:
    """Ask by GET; return the status."""
    url = f"http://{settings.metrics_host}:{settings.metrics_port}"
    request = f"GET {path} HTTP/1.1\r\naccept: {accept}\r\n\r\n"
    return (await asyncio.to_thread(send_raw, url, request.encode())).status


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("kind", ["application/openmetrics-text", "text/plain"])
@pytest.mark.parametrize("number", ["x", "1.", "..", f"1{'0' * 5000}"])
async def test_a_version_that_is_none_is_refused(
    settings: ServerSettings, kind: str, number: str
) -> None:
    assert await status_of(settings, "/metrics", f"{kind};version={number}") == 400


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("/", 404), ("/metrics/", 404), ("/metricsx", 404), ("http://[", 404), ("http://a", 404)),
        *(("/metrics?", 200), ("/metrics?name[]=%FF&=&x", 200), ("//metrics", 200)),
    ],
)
async def test_metrics_have_one_path(settings: ServerSettings, path: str, status: int) -> None:
    assert await status_of(settings, path) == status


@pytest.mark.usefixtures("server")
async def test_a_flood_of_scrapes_is_served_at_a_pace(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_server, "MAX_BURST", 1)
    begin = monotonic()
    for _ in range(4):
        assert await serves(settings)
    assert monotonic() - begin > 2.9 / metrics_server.MAX_SCRAPES_PER_SECOND


@pytest.mark.usefixtures("server")
async def test_one_who_sends_nothing_is_cut_off(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_server, "SCRAPE_SECONDS", 0.1)
    with connect(settings) as slow:
        slow.sendall(REQUEST[:10])
        assert await asyncio.to_thread(slow.recv, 1) == b""


@pytest.mark.usefixtures("server")
async def test_so_is_one_who_never_stops_sending(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_server, "SCRAPE_SECONDS", 0.2)
    with connect(settings) as slow, pytest.raises(ConnectionError):
        await trickle(slow)


async def trickle(connection: socket.socket) -> None:
    """Send a byte after the other for as long as one can."""
    async with asyncio.timeout(5):
        while True:
            connection.send(b"a")
            await asyncio.sleep(0.01)


class Large:
    """A metric that no buffer holds."""

    def collect(self) -> Iterator[Metric]:
        yield Metric("large", "x" * 50_000_000, "gauge")


@pytest.fixture
def _large() -> Iterator[None]:
    large = Large()
    REGISTRY.register(large)
    yield
    REGISTRY.unregister(large)


@pytest.mark.usefixtures("server", "_large")
async def test_one_who_reads_nothing_is_cut_off(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_server, "SCRAPE_SECONDS", 0.1)
    with connect(settings) as slow:
        slow.sendall(REQUEST)
        await until(lambda: scrapes() == 1)
        await until(lambda: scrapes() == 0)


def scrapes() -> int:
    """Count the scrapes under way."""
    return sum(thread.name == "metrics" for thread in threading.enumerate())


@pytest.mark.usefixtures("server")
async def test_more_than_so_many_at_once_are_turned_away(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_server, "SCRAPE_SECONDS", 60)
    waiting = [connect(settings) for _ in range(metrics_server.MAX_SCRAPES)]
    await until(lambda: scrapes() == metrics_server.MAX_SCRAPES)
    with connect(settings) as one_more:
        assert await asyncio.to_thread(one_more.recv, 1) == b""
    for connection in waiting:
        connection.close()
    await until_serving(settings)


@pytest.mark.usefixtures("server")
async def test_one_who_has_gone_harms_nobody(settings: ServerSettings) -> None:
    for _ in range(3):
        with connect(settings) as gone:
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            gone.sendall(REQUEST)
    await until_serving(settings)
    await until(lambda: scrapes() == 0)


@needs_ipv6
async def test_all_addresses_are_ipv6_and_ipv4(settings: ServerSettings) -> None:
    settings = settings.model_copy(update={"metrics_host": "::"})
    async with serve_metrics(settings, supervised=False):
        for host in ("::1", "127.0.0.1"):
            with socket.create_connection((host, settings.metrics_port), 5):
                pass


async def test_none_are_served_if_they_are_off() -> None:
    async with serve_metrics(ServerSettings(), supervised=False) as server:
        server.stop()
