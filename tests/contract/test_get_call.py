from dataclasses import replace
from datetime import UTC, datetime

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from livecalls.v1 import live_calls_pb2 as pb

from server.application.call import CallStatus, LiveStatus
from server.application.errors import StoreUnavailableError
from tests.support.data.calls import CALL_ID, FULL_CALL, MOMENT, PLAIN_CALL
from tests.support.data.documented import FIELDS, NULLABLE
from tests.support.server.service import GET_CALL, Deployment, Service, detail_of, raw


def get(call_id: str) -> pb.GetCallRequest:
    return pb.GetCallRequest(id=call_id)


def value_of(call: pb.Call, name: str) -> object:
    value = getattr(call, name)
    return value.ToDatetime(UTC) if isinstance(value, Timestamp) else value


async def error_of(service: Service, request: pb.GetCallRequest) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.stub.GetCall(request)
    return raised.value


async def test_says_every_field_of_a_full_call(service: Service) -> None:
    service.ports.live = LiveStatus(is_live=True, current_session_id="session-9", ended_at=MOMENT)
    service.ports.holds(replace(FULL_CALL, status=CallStatus.ENDED))

    answer = await service.stub.GetCall(get(str(CALL_ID)))

    assert {field.name for field, _ in answer.ListFields()} == {*FIELDS, "live"}
    assert {name: value_of(answer, name) for name in FIELDS if name != "status"} == {
        name: getattr(FULL_CALL, name) for name in FIELDS if name != "status"
    }
    assert answer.status == pb.CALL_STATUS_ENDED
    moment = Timestamp(seconds=1777863721, nanos=123456000)
    assert answer.created_at == moment
    assert answer.live == pb.LiveStatus(is_live=True, current_session_id="session-9", ended_at=moment)


async def test_says_the_first_and_the_last_moment(service: Service) -> None:
    first = datetime(1, 1, 1, tzinfo=UTC)
    last = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    service.ports.holds(replace(PLAIN_CALL, scheduled_at=first, started_at=last))
    answer = await service.stub.GetCall(get(str(CALL_ID)))
    assert answer.scheduled_at == Timestamp(seconds=-62135596800)
    assert answer.started_at == Timestamp(seconds=253402300799, nanos=999999000)


async def test_leaves_unset_what_is_not_known(service: Service) -> None:
    service.ports.holds(PLAIN_CALL)
    answer = await service.stub.GetCall(get(str(CALL_ID)))
    assert [name for name in (*NULLABLE, "live") if answer.HasField(name)] == []


@pytest.mark.parametrize("status", CallStatus)
async def test_says_the_rows_status_whatever_stream_says(service: Service, status: CallStatus) -> None:
    service.ports.live = LiveStatus(is_live=True, current_session_id=None, ended_at=None)
    service.ports.holds(replace(PLAIN_CALL, status=status, stream_call_id="at-stream"))
    answer = await service.stub.GetCall(get(str(CALL_ID)))
    assert pb.CallStatus.Name(answer.status) == f"CALL_STATUS_{status.name}"


async def test_does_not_ask_stream_about_a_call_it_does_not_have(service: Service) -> None:
    service.ports.live = LiveStatus(is_live=True, current_session_id=None, ended_at=None)
    service.ports.holds(PLAIN_CALL)
    answer = await service.stub.GetCall(get(str(CALL_ID)))
    assert not answer.HasField("live")
    assert service.ports.asked_within == []


async def test_tells_stream_how_long_the_caller_still_waits(
    deployment: Deployment, service: Service
) -> None:
    service.ports.holds(replace(PLAIN_CALL, stream_call_id="at-stream"))
    await service.stub.GetCall(get(str(CALL_ID)))
    await service.stub.GetCall(get(str(CALL_ID)), timeout=30)
    without_deadline, with_deadline = service.ports.asked_within
    assert without_deadline == pytest.approx(deployment.longest_wait, abs=5)
    assert 0 < with_deadline < 31


async def test_takes_an_id_in_upper_case(service: Service) -> None:
    service.ports.holds(PLAIN_CALL)
    answer = await service.stub.GetCall(get(str(CALL_ID).upper()))
    assert answer.id == str(CALL_ID)


@pytest.mark.parametrize(
    "call_id",
    [
        "00000000-0000-4000-8000-000000000000",
        "not-a-uuid",
        CALL_ID.replace("-", ""),
        f"{{{CALL_ID}}}",
        f"urn:uuid:{CALL_ID}",
        f" {CALL_ID}",
        f"{CALL_ID}\n",
        f"{CALL_ID}\0",
        "0aaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee\u0663",
        "a/b",
        "\0",
        "x" * 10_000,
    ],
)
async def test_any_other_text_names_no_call(service: Service, call_id: str) -> None:
    service.ports.holds(PLAIN_CALL)
    error = await error_of(service, get(call_id))
    assert error.code() == grpc.StatusCode.NOT_FOUND
    assert error.details() == "No call has this id."
    assert detail_of(error, ErrorInfo) == ErrorInfo(reason="CALL_NOT_FOUND", domain="livecalls.v1")


async def test_an_empty_id_is_an_invalid_argument(service: Service) -> None:
    error = await error_of(service, get(""))
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert detail_of(error, ErrorInfo).reason == "ID_REQUIRED"


@pytest.mark.parametrize(
    ("request_bytes", "code", "reason"),
    [
        (b"\x0a\x01\xff", grpc.StatusCode.NOT_FOUND, "CALL_NOT_FOUND"),
        (b"\x0a\x7fshort", grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST"),
        (b"<html>", grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST"),
    ],
    ids=["an id that is not UTF-8", "a cut message", "no message at all"],
)
async def test_bytes_that_are_no_request(
    service: Service, request_bytes: bytes, code: grpc.StatusCode, reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await raw(service, GET_CALL, request_bytes)
    assert raised.value.code() == code
    assert detail_of(raised.value, ErrorInfo).reason == reason


async def test_a_store_that_is_away_is_unavailable_and_worth_another_try(service: Service) -> None:
    service.ports.fails(StoreUnavailableError())
    error = await error_of(service, get(str(CALL_ID)))
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert detail_of(error, ErrorInfo).reason == "STORE_UNAVAILABLE"
    assert detail_of(error, RetryInfo).retry_delay.seconds == 1
