"""How much a client may send, and how long it may take to begin."""

import asyncio
import socket

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb

from server.transport.aio import server as aio_server
from tests.support.data.calls import CALL_ID, PLAIN_CALL, ScriptedPorts
from tests.support.server.service import Deployment, Service, Standalone, scripted_server

REQUEST = pb.GetCallRequest(id=str(CALL_ID))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_HEADER_TABLE = b"\0\1" + bytes(4)
MAX_CONCURRENT_STREAMS = b"\0\3"


async def refusal(service: Service, request: pb.GetCallRequest, **metadata: str) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.stub.GetCall(request, metadata=tuple(metadata.items()))
    return raised.value.code()


@pytest.fixture
async def service_of_a_call(service: Service) -> Service:
    service.ports.holds(PLAIN_CALL)
    return service


async def test_a_request_of_more_than_64_kib_is_refused_and_the_next_is_answered(
    service_of_a_call: Service,
) -> None:
    huge = pb.GetCallRequest(id="x" * 65 * 1024)
    assert await refusal(service_of_a_call, huge) == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await service_of_a_call.stub.GetCall(REQUEST)).id == REQUEST.id


async def test_metadata_of_more_than_96_kib_are_refused_and_the_next_request_is_answered(
    deployment: Deployment,
    service_of_a_call: Service,
) -> None:
    code = await refusal(service_of_a_call, REQUEST, huge="x" * 97 * 1024)
    assert code == deployment.too_much_metadata
    assert (await service_of_a_call.stub.GetCall(REQUEST)).id == REQUEST.id


@pytest.mark.parametrize("deployment", [Standalone()], ids=["standalone"])
async def test_metadata_of_a_little_less_are_not_always_refused(service_of_a_call: Service) -> None:
    metadata = (("large", "x" * 82 * 1024),)
    calls = [service_of_a_call.stub.GetCall(REQUEST, metadata=metadata) for _ in range(40)]
    assert grpc.StatusCode.OK in {await call.code() for call in calls}


def received(port: int, sent: bytes) -> bytes:
    """Send these bytes and no more, and read until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(1000), b""))


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {**dict(aio_server.OPTIONS), "grpc.server_handshake_timeout_ms": 200}
    monkeypatch.setattr(aio_server, "OPTIONS", tuple(options.items()))


@pytest.mark.usefixtures("impatience")
async def test_a_connection_may_have_4096_requests_under_way() -> None:
    async with scripted_server(ScriptedPorts()) as port:
        settings = await asyncio.to_thread(received, port, b"")
    assert MAX_CONCURRENT_STREAMS + (4096).to_bytes(4, "big") in settings


@pytest.mark.usefixtures("impatience")
async def test_no_header_is_remembered_for_later_requests() -> None:
    async with scripted_server(ScriptedPorts()) as port:
        assert NO_HEADER_TABLE in await asyncio.to_thread(received, port, b"")


def test_a_client_has_ten_seconds_for_its_handshakes() -> None:
    assert dict(aio_server.OPTIONS)["grpc.server_handshake_timeout_ms"] == 10_000


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("sent", [b"", b"PRI", PREFACE], ids=["nothing", "half a preface", "a preface"])
async def test_a_client_that_does_not_finish_its_handshakes_is_dropped(sent: bytes) -> None:
    async with scripted_server(ScriptedPorts()) as port:
        assert await asyncio.to_thread(received, port, sent)
