import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from server.application.get_call import GetCall
from server.auth.authenticator import AllowAll
from server.transport.admission import Admission
from server.transport.asgi.server import AsgiServer
from server.transport.live_calls import LiveCalls
from tests.support.callers.rest import Reply, ask
from tests.support.data.calls import ScriptedPorts
from tests.support.envoy.bridge import bridged
from tests.support.envoy.gateway import Gateway
from tests.support.server.service import Embedded, Service

UNAVAILABLE = {
    "error": "unavailable",
    "message": "The service cannot be reached right now. Try again shortly.",
}


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


async def test_embedded_it_is_ready_as_the_server_is(embedded: Embedded) -> None:
    ports = ScriptedPorts()
    server = AsgiServer(LiveCalls(GetCall(ports, ports), Admission(AllowAll(), 1)))
    async with bridged(server, embedded.folder):
        assert (await becomes(embedded.gateway, 200)).json() == {"status": "ok"}
        await server.announce_unready()
        # Twice: as the server answers, and as Envoy repeats it for those who ask soon after.
        for _ in range(2):
            reply = await becomes(embedded.gateway, 503)
            assert reply.json() == UNAVAILABLE
            assert (reply.header("retry-after"), reply.header("cache-control")) == ("1", "no-store")
        await server.announce_ready()
        await becomes(embedded.gateway, 200)
        server.announce_end()
        await becomes(embedded.gateway, 503)
        await server.stop(0)


async def becomes(gateway: Gateway, status: int) -> Reply:
    """Wait until /readyz has a status."""
    async with asyncio.timeout(20):
        while True:
            reply = await asyncio.to_thread(ask, gateway.url, "GET", "/readyz")
            if reply.status == status:
                return reply
