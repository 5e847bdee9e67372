"""The streaming methods: health that is watched, and reflection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.rpc import code_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2 as pb

from server.transport import reflection
from server.transport.asgi import health
from server.transport.reflection import SERVICES
from tests.support.envoy.asgi import HEADERS, Exchange, Hosted, Reply, hosted, message, until

REFLECTION = f"/{SERVICES[0]}/ServerReflectionInfo"
CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
LIVE_CALLS = "livecalls.v1.LiveCalls"
Health = health_pb2.HealthCheckResponse
LIST = message(pb.ServerReflectionRequest(list_services="").SerializeToString())


def asking(name: str) -> bytes:
    return message(health_pb2.HealthCheckRequest(service=name).SerializeToString())


def told(reply: Reply) -> list[int]:
    return [Health.FromString(content).status for _, content in reply.messages]


@asynccontextmanager
async def watching(
    service: Hosted, name: str = "", status: int = Health.SERVING
) -> AsyncIterator[tuple[Exchange, "asyncio.Task[None]"]]:
    """Watch a service while the block lasts, which begins with the first status."""
    exchange = Exchange([asking(name)])
    answering = asyncio.create_task(service.answering(exchange, WATCH))
    await until(lambda: told(exchange.reply) == [status])
    yield exchange, answering
    answering.cancel()
    await asyncio.gather(answering)


@pytest.mark.parametrize("name", ["", LIVE_CALLS])
async def test_says_that_it_serves_until_it_ends(service: Hosted, name: str) -> None:
    reply = await service.ask(asking(name), path=CHECK)
    assert (reply.code, told(reply)) == (code_pb2.OK, [Health.SERVING])
    await service.server.stop(0)
    assert told(await service.ask(asking(name), path=CHECK)) == [Health.NOT_SERVING]


async def test_who_watches_is_told_of_the_end(service: Hosted) -> None:
    async with watching(service, LIVE_CALLS) as (exchange, _):
        stopping = asyncio.create_task(service.server.stop(5))
        await until(lambda: told(exchange.reply) == [Health.SERVING, Health.NOT_SERVING])
    await stopping
    assert exchange.reply.code == code_pb2.CANCELLED


async def test_who_watches_is_told_of_each_change_until_the_end(service: Hosted) -> None:
    exchange, server = Exchange([asking("")]), service.server
    answering = asyncio.create_task(service.answering(exchange, WATCH))
    await until(lambda: told(exchange.reply) == [Health.SERVING])
    await server.announce_unready()
    await until(lambda: told(exchange.reply)[1:] == [Health.NOT_SERVING])
    await server.announce_ready()
    await until(lambda: told(exchange.reply)[2:] == [Health.SERVING])
    await server.announce_ready()
    server.announce_end()
    await until(lambda: told(exchange.reply)[3:] == [Health.NOT_SERVING])
    await server.announce_ready()
    assert told(await service.ask(asking(""), path=CHECK)) == [Health.NOT_SERVING]
    answering.cancel()
    await asyncio.gather(answering)
    assert len(told(exchange.reply)) == 4


async def test_so_many_may_watch_and_one_more_once_one_has_left(
    service: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "MAX_WATCHERS", 1)
    async with watching(service):
        refused = await service.ask(asking(""), path=WATCH)
        assert refused.code == code_pb2.RESOURCE_EXHAUSTED
        assert (await service.ask(asking(""), path=CHECK)).code == code_pb2.OK
    async with watching(service):
        pass


async def test_an_unknown_service_is_watched_and_stays_unknown(service: Hosted) -> None:
    async with watching(service, "other", Health.SERVICE_UNKNOWN) as (exchange, answering):
        await service.server.stop(0.01)
        await answering
    assert told(exchange.reply) == [Health.SERVICE_UNKNOWN]


async def test_watching_ends_with_the_deadline(service: Hosted) -> None:
    reply = await service.ask(asking(""), path=WATCH, more=[(b"grpc-timeout", b"20m")])
    assert (told(reply), reply.code) == ([Health.SERVING], code_pb2.DEADLINE_EXCEEDED)


async def test_watching_ends_as_the_watcher_goes_away(service: Hosted) -> None:
    async with watching(service) as (exchange, answering):
        exchange.go_away()
        async with asyncio.timeout(5) as limit:
            await answering
        assert not limit.expired()
    assert not exchange.complete


async def reflected(
    service: Hosted, *requests: pb.ServerReflectionRequest
) -> list[pb.ServerReflectionResponse]:
    parts = [message(request.SerializeToString()) for request in requests]
    reply = await service.ask(*parts, path=REFLECTION)
    assert reply.code == code_pb2.OK
    return [pb.ServerReflectionResponse.FromString(content) for _, content in reply.messages]


async def test_services_are_listed(service: Hosted) -> None:
    request = pb.ServerReflectionRequest(host="h", list_services="")
    (response,) = await reflected(service, request)
    names = [service.name for service in response.list_services_response.service]
    assert names == ["grpc.health.v1.Health", SERVICES[1], LIVE_CALLS]
    assert (response.valid_host, response.original_request) == ("h", request)


@pytest.mark.parametrize(
    "request_",
    [
        pb.ServerReflectionRequest(file_containing_symbol=LIVE_CALLS),
        pb.ServerReflectionRequest(file_by_filename="livecalls/v1/live_calls.proto"),
    ],
)
async def test_a_file_comes_with_what_it_imports(
    service: Hosted, request_: pb.ServerReflectionRequest
) -> None:
    (response,) = await reflected(service, request_)
    files = [
        FileDescriptorProto.FromString(file)
        for file in response.file_descriptor_response.file_descriptor_proto
    ]
    names = {file.name for file in files}
    assert files[0].name == "livecalls/v1/live_calls.proto"
    assert len(files) == len(names) > 2
    assert {imported for file in files for imported in file.dependency} <= names


async def test_extensions_are_told(service: Hosted) -> None:
    options = "google.protobuf.MethodOptions"
    http = pb.ExtensionRequest(containing_type=options, extension_number=72295728)
    numbers, file = await reflected(
        service,
        pb.ServerReflectionRequest(all_extension_numbers_of_type=options),
        pb.ServerReflectionRequest(file_containing_extension=http),
    )
    assert numbers.all_extension_numbers_response.base_type_name == options
    assert 72295728 in numbers.all_extension_numbers_response.extension_number
    first = file.file_descriptor_response.file_descriptor_proto[0]
    assert FileDescriptorProto.FromString(first).name == "google/api/annotations.proto"


async def test_what_is_not_known_is_an_error_within_the_answer_and_ends_nothing(
    service: Hosted,
) -> None:
    nothing = pb.ExtensionRequest(containing_type="no.Such", extension_number=1)
    responses = await reflected(
        service,
        pb.ServerReflectionRequest(file_containing_symbol="no.such"),
        pb.ServerReflectionRequest(file_by_filename="no.proto"),
        pb.ServerReflectionRequest(all_extension_numbers_of_type="no.Such"),
        pb.ServerReflectionRequest(file_containing_extension=nothing),
        pb.ServerReflectionRequest(),
    )
    codes = [response.error_response.error_code for response in responses]
    assert codes == [code_pb2.NOT_FOUND] * 4 + [code_pb2.INVALID_ARGUMENT]


async def test_so_many_may_ask_and_one_more_once_one_has_left(
    service: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reflection, "MAX_STREAMS", 1)
    exchange = Exchange([LIST], ends=False)
    asking = asyncio.create_task(service.answering(exchange, REFLECTION))
    await until(lambda: len(exchange.reply.messages) == 1)
    assert (await service.ask(LIST, path=REFLECTION)).code == code_pb2.RESOURCE_EXHAUSTED
    exchange.go_away()
    await asking
    assert (await service.ask(LIST, path=REFLECTION)).code == code_pb2.OK


async def test_nothing_is_reflected_unless_so_told() -> None:
    async with hosted(reflected=False) as service:
        assert (await service.ask(LIST, path=REFLECTION)).code == code_pb2.UNIMPLEMENTED


async def test_a_stream_that_breaks_ends_with_its_status(service: Hosted) -> None:
    reply = await service.ask(LIST, b"\7", path=f"/{SERVICES[1]}/ServerReflectionInfo")
    assert len(reply.messages) == 1
    assert (reply.code, reply.words) == (
        code_pb2.INTERNAL,
        "The last message of the request is cut off.",
    )
    assert reply.headers == [HEADERS[0]]
