"""gRPC's health service through the gateway."""

from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.callers.rest import ask
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import SERVICE, Upstream

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
CHECK = "/grpc.health.v1.Health/Check"
# Longer than the gateway may need, and shorter than a test may take.
WITHIN = 20


@pytest.fixture
def channel(gateway: Gateway, upstream: Upstream) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(gateway.address) as channel:
        yield channel


def check(channel: grpc.Channel, service: str) -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    status: int = health_pb2_grpc.HealthStub(channel).Check(request, timeout=WITHIN).status
    return status


@pytest.mark.parametrize("service", ["", SERVICE])
def test_it_is_checked(channel: grpc.Channel, service: str) -> None:
    assert check(channel, service) == SERVING


def test_a_service_that_is_not_known_is_not_found(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        check(channel, "other")
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("service", ["", SERVICE])
def test_it_is_watched(channel: grpc.Channel, service: str) -> None:
    watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service))
    assert next(watched).status == SERVING
    watched.cancel()


def test_it_is_the_server_s_own(standalone: Gateway, upstream: Upstream) -> None:
    with grpc.insecure_channel(standalone.address) as channel:
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        watched = health_pb2_grpc.HealthStub(channel).Watch(request, timeout=WITHIN)
        assert next(watched).status == SERVING
        upstream.says_it_serves(serves=False)
        assert next(watched).status == NOT_SERVING
        assert check(channel, SERVICE) == NOT_SERVING


@pytest.mark.parametrize("path", [f"{CHECK}?a", f"{CHECK}/", f"{CHECK}s", "/grpc.health.v1.Health/"])
def test_no_other_path_reaches_a_server(channel: grpc.Channel, path: str) -> None:
    send: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
    with pytest.raises(grpc.RpcError) as raised:
        send(b"", timeout=WITHIN)
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_it_leaves_no_line_in_the_access_log(gateway: Gateway, channel: grpc.Channel) -> None:
    request, named = health_pb2.HealthCheckRequest(), (("x-request-id", "quiet"),)
    health_pb2_grpc.HealthStub(channel).Check(request, timeout=WITHIN, metadata=named)
    ask(gateway.url, "GET", "/other", {"x-request-id": "after it"})
    gateway.access_logged("after it")
    assert "quiet" not in [line["request_id"] for line in gateway.access_log()]
