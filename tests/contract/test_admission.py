"""How many requests are served at once, and the status of the others."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from livecalls.v1 import live_calls_pb2 as pb

from server.application.call import Call
from server.application.errors import StoreUnavailableError
from server.auth.errors import TokenRequiredError
from tests.support.auth.guarded import REQUEST, ask, refused
from tests.support.callers.metrics import own_metrics
from tests.support.data.calls import PLAIN_CALL
from tests.support.server.service import Deployment, Service, detail_of, scripted_service

ROOM = 3


@dataclass
class HeldReads:
    """Reads that end when the test lets them, and not before."""

    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    failure: Exception | None = None

    async def __call__(self, call_id: str) -> Call | None:
        self.begun.release()
        try:
            await self.ended.wait()
        except asyncio.CancelledError:
            self.given_up.release()
            raise
        if self.failure:
            raise self.failure
        return PLAIN_CALL


@pytest.fixture
async def service(deployment: Deployment) -> AsyncIterator[Service]:
    async with scripted_service(deployment, max_requests=ROOM) as service:
        yield service


@pytest.fixture
async def reads(service: Service) -> HeldReads:
    service.ports.answer = reads = HeldReads()
    return reads


async def fill(
    service: Service, reads: HeldReads
) -> list[grpc.aio.UnaryUnaryCall[pb.GetCallRequest, pb.Call]]:
    """Start as many requests as may be under way."""
    calls = [service.stub.GetCall(REQUEST) for _ in range(ROOM)]
    for _ in calls:
        await asyncio.wait_for(reads.begun.acquire(), 5)
    return calls


async def test_one_more_is_turned_away_at_once(service: Service, reads: HeldReads) -> None:
    calls = await fill(service, reads)
    for _ in range(20):
        error = await refused(service, None)
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert error.details() == "Too many requests are under way. Try again shortly."
        assert detail_of(error, ErrorInfo) == ErrorInfo(reason="TOO_BUSY", domain="livecalls.v1")
        assert detail_of(error, RetryInfo).retry_delay.seconds == 1
    reads.ended.set()
    assert [(await call).title for call in calls] == ["Yoga"] * ROOM


async def test_those_under_way_and_those_turned_away_are_counted(
    service: Service, reads: HeldReads
) -> None:
    calls = await fill(service, reads)
    assert own_metrics()["livecalls_requests_max"] == ROOM
    assert own_metrics()["livecalls_requests_in_flight"] == ROOM
    turned_away = 'livecalls_requests_rejected_total{reason="too_busy"}'
    before = own_metrics()[turned_away]
    await refused(service, None)
    assert own_metrics()[turned_away] == before + 1
    reads.ended.set()
    await asyncio.gather(*calls)
    assert own_metrics()["livecalls_requests_in_flight"] == 0


async def test_health_is_told_meanwhile(service: Service, reads: HeldReads) -> None:
    await fill(service, reads)
    reply = await health_pb2_grpc.HealthStub(service.channel).Check(health_pb2.HealthCheckRequest())
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


async def test_there_is_room_again_after_an_answer(service: Service, reads: HeldReads) -> None:
    for _ in range(3):
        calls = await fill(service, reads)
        reads.ended.set()
        await asyncio.gather(*calls)
        reads.ended.clear()


@pytest.mark.parametrize("failure", [StoreUnavailableError(), ZeroDivisionError()], ids=repr)
async def test_there_is_room_again_after_a_failure(
    service: Service, reads: HeldReads, failure: Exception
) -> None:
    calls = await fill(service, reads)
    reads.failure = failure
    reads.ended.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(outcome, grpc.aio.AioRpcError) for outcome in outcomes] == [True] * ROOM
    reads.ended.clear()
    await fill(service, reads)


async def test_there_is_room_again_after_callers_went_away(service: Service, reads: HeldReads) -> None:
    for call in await fill(service, reads):
        call.cancel()
        await asyncio.wait_for(reads.given_up.acquire(), 5)
    await fill(service, reads)


async def test_there_is_room_again_after_a_deadline(service: Service, reads: HeldReads) -> None:
    for _ in range(ROOM):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await service.stub.GetCall(REQUEST, timeout=0.1)
        assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        await asyncio.wait_for(reads.given_up.acquire(), 5)
        await reads.begun.acquire()
    await fill(service, reads)


async def test_there_is_room_again_after_a_caller_is_not_let_in(deployment: Deployment) -> None:
    async with scripted_service(deployment, _ClosedDoor(), max_requests=1) as service:
        codes = {(await refused(service, None)).code() for _ in range(20)}
    assert codes == {grpc.StatusCode.UNAUTHENTICATED}


async def test_there_is_room_again_after_one_was_turned_away(service: Service, reads: HeldReads) -> None:
    calls = await fill(service, reads)
    await refused(service, None)
    reads.ended.set()
    await asyncio.gather(*calls)
    assert await ask(service, None)
    reads.ended.clear()
    await fill(service, reads)


class _ClosedDoor:
    async def admit(self, authorization: object) -> None:
        raise TokenRequiredError
