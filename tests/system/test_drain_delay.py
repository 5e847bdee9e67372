"""A server that is to end goes on serving for a while in which load balancers notice."""

import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.readiness import grpc_answers, wait_until
from tests.support.callers.rest import ask
from tests.support.server.deployments import Deployment
from tests.support.server.serve import without_database
from tests.support.server.stack import EmbeddedServer, Server, server_of

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SUPERVISED = [(Deployment.STANDALONE, "2"), (Deployment.EMBEDDED, "1")]
# Longer than a test takes.
LONG = {"DRAIN_DELAY_MS": "600000"}


@pytest.fixture
def single(tmp_path: Path) -> Server:
    return server_of(tmp_path, {**LONG, **without_database()})


@pytest.fixture(params=SUPERVISED, ids="-".join)
def supervised(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Server]:
    deployment, workers = request.param
    settings = {"AUTH": "off", "DATABASE_URL": database_url, "WORKERS": workers}
    server = server_of(tmp_path, {**LONG, **settings, **deployment.settings})
    yield server
    running = server.workers()
    server.process.terminate()
    for worker in running:
        worker.kill()
    assert server.wait() == 0


def is_served(address: str) -> bool:
    """Return whether the service answers a request, for a call that there cannot be."""
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as raised:
        LiveCallsStub(channel).GetCall(pb.GetCallRequest(id="none"), timeout=20)
    return bool(raised.value.code() == grpc.StatusCode.NOT_FOUND)


def asked_to_end(server: Server, number: signal.Signals = signal.SIGTERM) -> None:
    """Ask it to end; load balancers can notice it when this returns."""
    server.process.send_signal(number)
    for port in server.ports:
        address = server.address_of(port)
        assert wait_until(lambda: not grpc_answers(address), 20), server.log()  # noqa: B023


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_serves_on_until_it_is_told_again(single: Server, number: signal.Signals) -> None:
    address = single.address_of(single.port)
    with grpc.insecure_channel(address) as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        asked_to_end(single, number)
        assert next(watched).status == NOT_SERVING
        assert is_served(address)
        single.process.send_signal(number)
        assert single.wait() == 0


def test_workers_serve_on_and_then_end(supervised: Server) -> None:
    workers = supervised.workers()
    asked_to_end(supervised)
    for port in supervised.ports:
        assert is_served(supervised.address_of(port))
    if isinstance(supervised, EmbeddedServer):
        url = f"http://{supervised.address_of(supervised.port)}"
        assert wait_until(lambda: ask(url, "GET", "/readyz").status == 503, 20)
        assert ask(url, "GET", "/healthz").status == 200
    assert supervised.workers() == workers


def test_a_worker_that_has_been_replaced_does_not_wait(supervised: Server) -> None:
    before = supervised.workers()
    supervised.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: not before & supervised.workers(), 60), supervised.log()


def test_after_the_delay_it_ends(tmp_path: Path) -> None:
    server = server_of(tmp_path, {**without_database(), "WORKERS": "2", "DRAIN_DELAY_MS": "500"})
    assert server.stop() == 0
    assert server.logged("worker exited") == []
