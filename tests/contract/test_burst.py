"""Many calls at once on one connection: each is served, or rejected with our message."""

import asyncio
from collections import Counter
from itertools import islice

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from livecalls.v1 import live_calls_pb2 as pb

from server.application.call import Call
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.server.service import Service, Standalone, detail_of, scripted_service

REQUEST = pb.GetCallRequest(id=str(CALL_ID))
BURST = 4000


async def test_a_burst_is_answered_whole() -> None:
    async with scripted_service(Standalone(), max_requests=BURST) as service:
        service.ports.holds(PLAIN_CALL)
        assert await outcomes(service) == {grpc.StatusCode.OK: BURST}


async def test_what_may_not_be_under_way_is_turned_away_with_a_pause() -> None:
    held = asyncio.Event()

    async def answer(_: str) -> Call:
        await held.wait()
        return PLAIN_CALL

    async with scripted_service(Standalone(), max_requests=1) as service:
        service.ports.answer = answer
        calls = [asyncio.create_task(outcome(service)) for _ in range(BURST)]
        for ended in islice(asyncio.as_completed(calls), BURST - 1):
            assert await ended == grpc.StatusCode.RESOURCE_EXHAUSTED
        held.set()
        assert (await asyncio.gather(*calls)).count(grpc.StatusCode.OK) == 1


async def outcomes(service: Service) -> Counter[grpc.StatusCode]:
    """Send all calls at once, and count how they end."""
    return Counter(await asyncio.gather(*(outcome(service) for _ in range(BURST))))


async def outcome(service: Service) -> grpc.StatusCode:
    try:
        await service.stub.GetCall(REQUEST)
    except grpc.aio.AioRpcError as error:
        if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
            detail_of(error, RetryInfo)  # raises if there is none
        return error.code()
    return grpc.StatusCode.OK
