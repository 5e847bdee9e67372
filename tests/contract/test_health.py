import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.server.service import Service


@pytest.mark.parametrize("name", ["", "livecalls.v1.LiveCalls"])
async def test_says_that_it_serves(service: Service, name: str) -> None:
    reply = await health_pb2_grpc.HealthStub(service.channel).Check(
        health_pb2.HealthCheckRequest(service=name)
    )
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("method", ["Check", "Watch"])
async def test_what_is_no_request_is_refused_without_a_fault(
    service: Service, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    ask: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = service.channel.unary_stream(
        f"/grpc.health.v1.Health/{method}"
    )
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await ask(b"\xff").read()
    assert raised.value.code() == grpc.StatusCode.INTERNAL
    assert raised.value.details() == "Exception deserializing request!"
    assert caplog.records == []


async def test_a_service_that_is_not_known_is_not_found(service: Service) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await health_pb2_grpc.HealthStub(service.channel).Check(
            health_pb2.HealthCheckRequest(service="other")
        )
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND
