import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.service import Service


@pytest.mark.parametrize("name", ["", "livecalls.v1.LiveCalls"])
async def test_says_that_it_serves(service: Service, name: str) -> None:
    reply = await health_pb2_grpc.HealthStub(service.channel).Check(
        health_pb2.HealthCheckRequest(service=name)
    )
    assert reply.status == health_pb2.HealthCheckResponse.SERVING
