import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.callers.rest import Reply, ask
from tests.support.envoy.envoy_configuration import EnvoyConfiguration
from tests.support.envoy.gateway import Gateway, gateway_running, wait_for
from tests.support.stand_ins.upstream import Upstream

PATH = "/v1/live/calls/any"
AWAY = {
    "error": "unavailable",
    "message": "The service cannot be reached right now. Try again shortly.",
}


@contextmanager
def idle_connections(gateway: Gateway, number: int) -> Iterator[list[socket.socket]]:
    host, _, port = gateway.address.partition(":")
    with ExitStack() as stack:
        opened = [socket.create_connection((host, int(port)), timeout=5) for _ in range(number)]
        yield [stack.enter_context(connection) for connection in opened]


def assert_unavailable(reply: Reply) -> None:
    assert (reply.status, reply.json()) == (503, AWAY)
    assert reply.header("retry-after") == "1"


def test_a_connection_too_many_is_closed_and_the_admin_port_stays(
    upstream: Upstream, tmp_path: Path
) -> None:
    with gateway_running(upstream.port, tmp_path, MAX_CONNECTIONS="10") as gateway:
        with idle_connections(gateway, 10):
            wait_for(lambda: gateway.counter("http.rest.downstream_cx_active") == 10 or None)
            with idle_connections(gateway, 1) as (surplus,):
                assert surplus.recv(1) == b""
            assert ask(gateway.admin_url, "GET", "/ready").status == 200
        assert wait_for(lambda: answered(gateway)).status == 404


def answered(gateway: Gateway) -> Reply | None:
    try:
        return ask(gateway.url, "GET", PATH)
    except ConnectionError:
        return None


def test_idle_connections_go_early_as_they_near_the_limit(upstream: Upstream, tmp_path: Path) -> None:
    # A connection that is not closed early may idle for 300 s, longer than a test may last.
    with gateway_running(upstream.port, tmp_path, MAX_CONNECTIONS="10") as gateway:
        wait_for(lambda: True if nine_are_closed(gateway) else None)


def nine_are_closed(gateway: Gateway) -> bool:
    with idle_connections(gateway, 9) as idle:
        try:
            return all(connection.recv(1) == b"" for connection in idle)
        except TimeoutError:
            return False


def no_memory(configuration: EnvoyConfiguration) -> None:
    configuration.set_monitor("fixed_heap", "max_heap_size_bytes", 1)


def test_without_memory_it_says_so_in_the_documented_shape(upstream: Upstream, tmp_path: Path) -> None:
    with gateway_running(upstream.port, tmp_path, no_memory) as gateway:
        reply = wait_for(
            lambda: found if (found := ask(gateway.url, "GET", PATH)).status == 503 else None
        )
        assert_unavailable(reply)
        with grpc.insecure_channel(gateway.address) as channel, pytest.raises(grpc.RpcError) as raised:
            LiveCallsStub(channel).GetCall(pb.GetCallRequest(id="any"), timeout=20)
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
        assert raised.value.details() == AWAY["message"]


@pytest.mark.parametrize("address", ["127.0.0.2", "::1"])
def test_the_admin_port_is_on_loopback_only(address: str, gateway: Gateway) -> None:
    host, _, port = gateway.admin_url.removeprefix("http://").partition(":")
    assert host == "127.0.0.1"
    with pytest.raises(OSError, match=r"refused|Cannot assign"):
        socket.create_connection((address, int(port)), timeout=20)
