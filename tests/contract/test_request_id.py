import logging
from uuid import UUID

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb

from server.runtime import logs
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.machine.log import the_one
from tests.support.server.service import Service, Standalone

REQUEST = pb.GetCallRequest(id=str(CALL_ID))


async def returned_id(service: Service, *given: str) -> str:
    service.ports.holds(PLAIN_CALL)
    call = service.stub.GetCall(REQUEST, metadata=[("x-request-id", value) for value in given])
    await call
    (value,) = (value for key, value in await call.trailing_metadata() if key == "x-request-id")
    return str(value)


async def test_the_callers_request_id_is_returned(service: Service) -> None:
    assert await returned_id(service, "abc-123") == "abc-123"


async def test_a_request_id_is_made_where_none_is_given(service: Service) -> None:
    assert UUID(await returned_id(service)).version == 4


# Through Envoy it is usable by then.
@pytest.mark.parametrize("deployment", [Standalone()], ids=["standalone"])
@pytest.mark.parametrize("given", ["x" * 129, "two words", ""])
async def test_an_unusable_request_id_is_replaced(service: Service, given: str) -> None:
    assert UUID(await returned_id(service, given)).version == 4


async def test_the_request_id_is_there_for_the_line_of_the_request(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await returned_id(service, "abc-123")
    assert (await the_one(caplog, "server.requests"))["request_id"] == "abc-123"


async def test_the_request_id_is_there_for_every_line_meanwhile(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(logs._add_request_id)
    service.ports.fails(ZeroDivisionError())
    with pytest.raises(grpc.aio.AioRpcError):
        await service.stub.GetCall(REQUEST, metadata=[("x-request-id", "abc-123")])
    (fault,) = (vars(record) for record in caplog.records if record.exc_info)
    assert fault["request_id"] == "abc-123"
