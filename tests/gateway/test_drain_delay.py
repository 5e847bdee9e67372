"""A gateway that is to end goes on serving for a while in which load balancers notice."""

import http.client
import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.callers.rest import ask, ask_over
from tests.support.envoy.gateway import Gateway, gateway_running, wait_for
from tests.support.stand_ins.upstream import Upstream

PATH = "/v1/live/calls/any"
# Longer than a test takes.
LONG_MS = "600000"


@pytest.fixture
def delaying(upstream: Upstream, tmp_path: Path) -> Iterator[Gateway]:
    with gateway_running(upstream.port, tmp_path, DRAIN_DELAY_MS=LONG_MS) as gateway:
        yield gateway


def asked_to_end(gateway: Gateway, number: signal.Signals) -> None:
    """Ask it to end; load balancers can notice it when this returns."""
    assert gateway.process
    assert ask(gateway.url, "GET", "/readyz").status == 200
    gateway.process.send_signal(number)
    wait_for(lambda: ask(gateway.url, "GET", "/readyz").status == 503 or None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_on_until_it_is_told_again(delaying: Gateway, number: signal.Signals) -> None:
    connection = http.client.HTTPConnection(delaying.address, timeout=20)
    assert ask_over(connection, "GET", PATH).status == 404
    asked_to_end(delaying, number)
    # So many that it would have begun to drain meanwhile; on the same connection, and on new ones.
    for _ in range(200):
        reply = ask_over(connection, "GET", PATH)
        assert (reply.status, reply.header("connection")) == (404, None)
        assert ask(delaying.url, "GET", PATH).status == 404
    connection.close()
    assert ask(delaying.url, "GET", "/healthz").status == 200
    with grpc.insecure_channel(delaying.address) as channel, pytest.raises(grpc.RpcError) as raised:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    assert raised.value.details() == "The gateway is about to end."
    assert delaying.process
    assert delaying.process.poll() is None
    delaying.process.send_signal(number)
    assert delaying.process.wait(20) == 0


def test_after_the_delay_it_ends(upstream: Upstream, tmp_path: Path) -> None:
    with gateway_running(upstream.port, tmp_path, DRAIN_DELAY_MS="500") as gateway:
        asked_to_end(gateway, signal.SIGTERM)
        assert gateway.process
        assert gateway.process.wait(20) == 0
