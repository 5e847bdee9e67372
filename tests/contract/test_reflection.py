"""Reflection, with one request after another on a stream that stays open meanwhile."""

import asyncio

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from server.transport import reflection
from server.transport.aio import reflection as aio_reflection
from server.transport.reflection import SERVICES
from tests.support.server.service import Service, Standalone, scripted_service

CONTRACT = "livecalls/v1/live_calls.proto"
HEALTH = "grpc_health/v1/health.proto"
REFLECTION = "grpc_reflection/v1alpha/reflection.proto"
SYMBOLS = {
    "livecalls.v1.LiveCalls": CONTRACT,
    "livecalls.v1.LiveCalls.GetCall": CONTRACT,
    "livecalls.v1.Call": CONTRACT,
    "livecalls.v1.Call.title": CONTRACT,
    "livecalls.v1.Call._recording_url": CONTRACT,
    "livecalls.v1.CallStatus": CONTRACT,
    "livecalls.v1.CALL_STATUS_LIVE": CONTRACT,
    "grpc.health.v1.Health.Check": HEALTH,
    "grpc.health.v1.Health.Watch": HEALTH,
    "grpc.health.v1.HealthCheckResponse.ServingStatus": HEALTH,
    "grpc.health.v1.HealthCheckResponse.SERVING": HEALTH,
    "grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfo": REFLECTION,
    "grpc.reflection.v1alpha.ServerReflectionRequest.message_request": REFLECTION,
}
NO_SYMBOLS = (
    "",
    "livecalls.v1",
    ".livecalls.v1.LiveCalls.GetCall",
    "livecalls.v1.LiveCalls.Get",
    "livecalls.v1.LiveCalls.GetCall.",
    "livecalls.v1.LiveCalls/GetCall",
    "livecalls.v1.CallStatus.CALL_STATUS_LIVE",
)
LIST = ServerReflectionRequest(list_services="")
Info = grpc.aio.StreamStreamCall[ServerReflectionRequest, ServerReflectionResponse]


def begun(service: Service, name: str = SERVICES[0]) -> Info:
    method: grpc.aio.StreamStreamMultiCallable[ServerReflectionRequest, ServerReflectionResponse] = (
        service.channel.stream_stream(
            f"/{name}/ServerReflectionInfo",
            ServerReflectionRequest.SerializeToString,
            ServerReflectionResponse.FromString,
        )
    )
    return method()


async def answer_of(info: Info) -> ServerReflectionResponse:
    answer = await info.read()
    assert isinstance(answer, ServerReflectionResponse)
    return answer


@pytest.mark.parametrize("name", SERVICES)
async def test_services_are_told_by_both_names(service: Service, name: str) -> None:
    info = begun(service, name)
    for _ in range(2):
        await info.write(LIST)
        answer = await answer_of(info)
        names = [service.name for service in answer.list_services_response.service]
        assert "livecalls.v1.LiveCalls" in names
    await info.done_writing()
    assert await info.code() == grpc.StatusCode.OK


async def test_all_that_is_named_is_described(service: Service) -> None:
    info = begun(service)
    await info.write(LIST)
    for named in (await answer_of(info)).list_services_response.service:
        await info.write(ServerReflectionRequest(file_containing_symbol=named.name))
        assert (await answer_of(info)).file_descriptor_response.file_descriptor_proto
    await info.done_writing()
    assert await info.code() == grpc.StatusCode.OK


@pytest.mark.parametrize("name", SERVICES)
async def test_whatever_has_a_full_name_is_found_by_it(service: Service, name: str) -> None:
    """As grpc-go does: tools look up a method, a field, a oneof or a value of an enum, too."""
    info = begun(service, name)
    for symbol, file in SYMBOLS.items():
        await info.write(ServerReflectionRequest(file_containing_symbol=symbol))
        answer = await answer_of(info)
        files = answer.file_descriptor_response.file_descriptor_proto
        names = [FileDescriptorProto.FromString(each).name for each in files]
        assert names[:1] == [file], symbol
        assert answer.original_request.file_containing_symbol == symbol
    await info.done_writing()
    assert await info.code() == grpc.StatusCode.OK


async def test_no_other_name_is(service: Service) -> None:
    info = begun(service)
    for symbol in NO_SYMBOLS:
        await info.write(ServerReflectionRequest(file_containing_symbol=symbol))
        error = (await answer_of(info)).error_response
        assert error.error_code == grpc.StatusCode.NOT_FOUND.value[0], symbol
    await info.done_writing()
    assert await info.code() == grpc.StatusCode.OK


@pytest.mark.parametrize("odd", [b"\xff\xff\xff", b"\x22\x02\xff\xfe"])
async def test_what_cannot_be_read_is_refused_in_no_library_s_words(
    service: Service, odd: bytes
) -> None:
    method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = service.channel.stream_stream(
        f"/{SERVICES[0]}/ServerReflectionInfo"
    )
    info = method()
    await info.write(odd)
    assert await info.code() == grpc.StatusCode.INTERNAL
    assert await info.details() == "Exception deserializing request!"


async def test_so_much_may_be_asked_in_one_stream(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reflection, "MAX_REQUESTS", 1)
    info = begun(service)
    await info.write(LIST)
    await answer_of(info)
    await info.write(LIST)
    assert await info.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_so_many_may_ask_at_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflection, "MAX_STREAMS", 1)
    first = begun(service)
    await first.write(LIST)
    await answer_of(first)
    assert await begun(service).code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    await first.done_writing()
    assert await first.code() == grpc.StatusCode.OK
    third = begun(service)
    await third.done_writing()
    assert await third.code() == grpc.StatusCode.OK


async def test_straight_to_the_server_a_stream_lasts_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aio_reflection, "MAX_SECONDS", 0.05)
    async with scripted_service(Standalone()) as service:
        info = begun(service)
        async with asyncio.timeout(5):
            assert await info.code() == grpc.StatusCode.DEADLINE_EXCEEDED
