"""The service embedded in a real Envoy, by gRPC's own client."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from google.rpc.error_details_pb2 import RequestInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.data.calls import CALL_ID, new_id
from tests.support.envoy.asgi import until
from tests.support.envoy.embedded import embedded_running
from tests.support.envoy.embedded_application import BUG, ENDLESS, NOBODY, STUBBORN
from tests.support.server.service import detail_of, trailer_of

if TYPE_CHECKING:
    from livecalls.v1.live_calls_pb2_grpc import LiveCallsAsyncStub

    from tests.support.envoy.embedded import EmbeddedService

OF_US = ("x-request-id", "abc-123")
Health = health_pb2.HealthCheckResponse


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> LiveCallsAsyncStub:
    return LiveCallsStub(channel)


async def failure(
    stub: LiveCallsAsyncStub,
    call_id: str,
    *metadata: tuple[str, str | bytes],
    timeout: float | None = 5,  # noqa: ASYNC109 - gRPC's
) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.GetCall(pb.GetCallRequest(id=call_id), metadata=metadata, timeout=timeout)
    return raised.value


@pytest.mark.parametrize(
    "compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate]
)
async def test_a_call_is_answered_compressed_or_not(
    stub: LiveCallsAsyncStub, compression: grpc.Compression
) -> None:
    asked = stub.GetCall(pb.GetCallRequest(id=CALL_ID), metadata=[OF_US], compression=compression)
    assert (await asked).id == CALL_ID
    assert OF_US in [tuple(pair) for pair in await asked.trailing_metadata()]


async def test_many_calls_are_answered_on_one_connection(stub: LiveCallsAsyncStub) -> None:
    asked = [stub.GetCall(pb.GetCallRequest(id=CALL_ID)) for _ in range(300)]
    assert {call.id for call in await asyncio.gather(*asked)} == {CALL_ID}


async def test_a_bug_is_told_without_an_internal_word(
    embedded: EmbeddedService, stub: LiveCallsAsyncStub
) -> None:
    error = await failure(stub, BUG, OF_US)
    assert (error.code(), error.details()) == (
        grpc.StatusCode.INTERNAL,
        "The server failed to answer.",
    )
    assert detail_of(error, RequestInfo).request_id == "abc-123"
    await until(lambda: "ZeroDivisionError: secret" in embedded.log())


async def test_metadata_of_both_kinds_arrive(
    embedded: EmbeddedService, stub: LiveCallsAsyncStub
) -> None:
    error = await failure(stub, new_id(), ("a", "1"), ("a-bin", b"\0\xff,"), ("a-bin", b""))
    assert error.code() == grpc.StatusCode.NOT_FOUND
    await until(lambda: "a ['1'] a-bin [b'\\x00\\xff,', b'']" in embedded.log())
    error = await failure(stub, CALL_ID, ("authorization", NOBODY))
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert trailer_of(error, "www-authenticate").startswith(b"Bearer")


async def test_a_passed_deadline_gives_the_work_up(
    embedded: EmbeddedService, stub: LiveCallsAsyncStub
) -> None:
    error = await failure(stub, ENDLESS, OF_US, timeout=0.3)
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    await until(lambda: "server.requests answered DEADLINE_EXCEEDED abc-123" in embedded.log())


async def test_a_caller_that_goes_away_gives_the_work_up(
    embedded: EmbeddedService, stub: LiveCallsAsyncStub
) -> None:
    asked = stub.GetCall(pb.GetCallRequest(id=ENDLESS), metadata=[OF_US])
    await until(lambda: "a () a-bin ()" in embedded.log())
    asked.cancel()
    await until(lambda: "server.requests answered CANCELLED abc-123" in embedded.log())


async def test_envoy_ends_though_a_request_does_not(tmp_path: Path) -> None:
    async with (
        embedded_running(tmp_path) as embedded,
        grpc.aio.insecure_channel(embedded.address) as channel,
    ):
        stub: LiveCallsAsyncStub = LiveCallsStub(channel)
        asked = stub.GetCall(pb.GetCallRequest(id=STUBBORN))
        await until(lambda: "a () a-bin ()" in embedded.log())
        asked.cancel()
    assert embedded.log().count("\n") == 2
    assert "server tasks ignore their cancellation and are abandoned" in embedded.log()


async def test_a_request_of_more_than_64_kib_is_refused_and_the_next_is_answered(
    stub: LiveCallsAsyncStub,
) -> None:
    for size in (65 * 1024, 3 * 1024 * 1024):
        error = await failure(stub, "x" * size)
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await failure(stub, new_id())).code() == grpc.StatusCode.NOT_FOUND


async def test_health_is_watched(embedded: EmbeddedService, channel: grpc.aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    for name, status in (("", Health.SERVING), ("other", Health.SERVICE_UNKNOWN)):
        watch = health.Watch(health_pb2.HealthCheckRequest(service=name))
        assert (await watch.read()).status == status
        watch.cancel()
    await asyncio.sleep(0.3)
    assert "Exception" not in embedded.log()
