"""Callers that send little, or read nothing, and hold a connection for it."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.callers.http2 import without_a_window
from tests.support.callers.rest import ask, connected
from tests.support.data.sample_replies import sample_replies
from tests.support.envoy.envoy_configuration import EnvoyConfiguration
from tests.support.envoy.gateway import Gateway, gateway_running, wait_for
from tests.support.stand_ins.upstream import Upstream

CALL = "/v1/live/calls/11111111-1111-4111-8111-111111111111"
HALF_A_HEAD = f"GET {CALL} HTTP/1.1\r\nhost: a\r\nx-he".encode()
HALF_A_BODY = f"GET {CALL} HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{{".encode()
OPEN = "http.rest.downstream_cx_active"


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process, and those it starts, have a few thousand files open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def wait_less(configuration: EnvoyConfiguration) -> None:
    """Shorten timeouts to the time that opening a thousand connections may take."""
    http = configuration.http
    http["request_headers_timeout"] = "6s"
    http["common_http_protocol_options"]["idle_timeout"] = "6s"


@contextmanager
def connections(gateway: Gateway, number: int, sent: bytes) -> Iterator[list[socket.socket]]:
    host, _, port = gateway.address.partition(":")
    with ExitStack() as stack:
        opened = [
            stack.enter_context(socket.create_connection((host, int(port)), timeout=30))
            for _ in range(number)
        ]
        for connection in opened:
            connection.sendall(sent)
        yield opened


def all_of(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.usefixtures("many_files")
def test_a_thousand_of_them_hold_nobody_up_and_are_ended(
    running_upstream: Upstream, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    upstream.serves(sample_replies())
    folder = tmp_path_factory.mktemp("slow")
    with (
        gateway_running(running_upstream.port, folder, wait_less, REST_TIMEOUT_MS="6000") as gateway,
        connections(gateway, 400, HALF_A_HEAD) as heads,
        connections(gateway, 300, HALF_A_BODY) as bodies,
        connections(gateway, 300, b"") as idle,
    ):
        wait_for(lambda: gateway.counter(OPEN) >= 1000 or None)
        assert [ask(gateway.url, "GET", CALL).status for _ in range(50)] == [200] * 50
        assert gateway.counter(OPEN) >= 1000
        for connection in (*heads, *bodies):
            assert b'"error":"request_timeout"' in all_of(connection)
        assert {all_of(connection) for connection in idle} == {b""}
        wait_for(lambda: gateway.counter(OPEN) == 0 or None)
    assert len(upstream.requests) == 50


def test_one_that_asked_before_may_rest_but_not_for_ever(
    running_upstream: Upstream, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    upstream.serves(sample_replies())
    folder = tmp_path_factory.mktemp("resting")
    request = f"GET {CALL} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
    with (
        gateway_running(running_upstream.port, folder, wait_less) as gateway,
        connections(gateway, 1, request) as (connection,),
    ):
        assert all_of(connection).startswith(b"HTTP/1.1 200")


def idle_for_a_second(configuration: EnvoyConfiguration) -> None:
    configuration.http["stream_idle_timeout"] = "1s"


def test_who_reads_nothing_of_a_reply_holds_no_stream(upstream: Upstream, tmp_path: Path) -> None:
    upstream.serves(sample_replies())
    with (
        gateway_running(upstream.port, tmp_path, idle_for_a_second) as gateway,
        connected(gateway.address) as caller,
    ):
        caller.sendall(without_a_window("GET", CALL))
        wait_for(lambda: upstream.requests or None)
        wait_for(lambda: gateway.counter("http.rest.downstream_rq_active") == 0 or None)
