import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RequestInfo
from livecalls.v1 import live_calls_pb2 as pb

from server.application.call import Call
from server.application.errors import CallUnreadableError
from tests.support.data.calls import CALL_ID
from tests.support.machine.log import the_one
from tests.support.server.service import Deployment, Service, detail_of, raw, scripted_service

REQUEST = pb.GetCallRequest(id=str(CALL_ID))


async def test_a_bug_is_told_without_an_internal_word_and_logged_with_its_trace(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.ports.fails(ZeroDivisionError("secret of the server"))

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.stub.GetCall(REQUEST, metadata=(("x-request-id", "the-request"),))

    error = raised.value
    assert error.code() == grpc.StatusCode.INTERNAL
    assert error.details() == "The server failed to answer."
    assert detail_of(error, ErrorInfo).reason == "INTERNAL_FAULT"
    assert detail_of(error, RequestInfo).request_id == "the-request"
    assert "secret" not in repr(error.trailing_metadata())
    (record,) = (record for record in caplog.records if record.exc_info)
    assert "secret of the server" in caplog.text
    assert record.name == "server.requests"


async def test_a_row_that_cannot_be_read_is_told_like_a_bug_but_needs_no_trace(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.ports.fails(CallUnreadableError())

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.stub.GetCall(REQUEST, metadata=(("x-request-id", "the-request"),))

    error = raised.value
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "The server failed to answer.")
    assert detail_of(error, RequestInfo).request_id == "the-request"
    assert not [record for record in caplog.records if record.exc_info]


@dataclass
class EndlessRead:
    """A read that never ends by itself."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, call_id: str) -> Call | None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.set()
        return None


async def test_a_passed_deadline_gives_the_work_up(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    service.ports.answer = read = EndlessRead()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.stub.GetCall(REQUEST, timeout=0.1)
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(read.given_up.wait(), 5)
    assert (await the_one(caplog, "server.requests"))["code"] == "DEADLINE_EXCEEDED"


async def test_a_caller_that_goes_away_gives_the_work_up(service: Service) -> None:
    service.ports.answer = read = EndlessRead()
    call = service.stub.GetCall(REQUEST)
    await asyncio.wait_for(read.begun.wait(), 5)
    call.cancel()
    await asyncio.wait_for(read.given_up.wait(), 5)


async def test_an_unknown_method_is_unimplemented(service: Service) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await raw(service, "/livecalls.v1.LiveCalls/DropCall", b"")
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_what_the_end_of_the_server_cuts_off_is_logged(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with scripted_service(deployment) as service:
        service.ports.answer = read = EndlessRead()
        call = service.stub.GetCall(REQUEST)
        await asyncio.wait_for(read.begun.wait(), 5)
    assert (await the_one(caplog, "server.requests"))["code"] == "CANCELLED"
    assert call.done()


async def test_the_server_ends_though_a_request_does_not(deployment: Deployment) -> None:
    begun, going_on = asyncio.Event(), asyncio.Event()

    async def stubborn(call_id: str) -> Call | None:
        begun.set()
        while not going_on.is_set():
            with suppress(asyncio.CancelledError):
                await going_on.wait()
        return None

    async with scripted_service(deployment) as service:
        service.ports.answer = stubborn
        asked = service.stub.GetCall(REQUEST)
        await asyncio.wait_for(begun.wait(), 5)
    going_on.set()
    assert asked.done()
