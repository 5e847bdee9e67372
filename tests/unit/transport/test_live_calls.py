import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from hypothesis import given
from hypothesis import strategies as st
from livecalls.v1 import live_calls_pb2 as pb

from server.application.call import Call, CallState, LiveStatus
from server.application.errors import CallNotFoundError, StoreUnavailableError
from server.transport.errors import MalformedRequestError
from server.transport.live_calls import decode, encode_call, encode_live_status, encode_state
from tests.support.data.any_call import any_call, moments, texts
from tests.support.data.calls import MOMENT, PLAIN_CALL

LIVE = LiveStatus(is_live=True, current_session_id="session", ended_at=MOMENT)


def test_a_row_and_what_stream_says_are_read_as_one_message() -> None:
    read = pb.Call.FromString(encode_state(CallState(PLAIN_CALL, LIVE)))
    expected = encode_call(PLAIN_CALL)
    expected.live.CopyFrom(encode_live_status(LIVE))
    assert read == expected


@given(call=any_call, live=st.none() | st.builds(LiveStatus, st.booleans(), st.none() | texts, moments))
def test_any_call_is_read_whole(call: Call, live: LiveStatus | None) -> None:
    read = pb.Call.FromString(encode_state(CallState(call, live)))
    expected = encode_call(call)
    if live is not None:
        expected.live.CopyFrom(encode_live_status(live))
    assert read == expected


def test_what_is_not_known_of_stream_is_unset() -> None:
    read = pb.Call.FromString(encode_state(CallState(PLAIN_CALL, None)))
    assert read == encode_call(PLAIN_CALL)
    assert not read.HasField("live")


def test_bytes_that_are_no_request_are_refused_by_the_name_of_the_request() -> None:
    for kind in (pb.GetCallRequest, HealthCheckRequest):
        with pytest.raises(MalformedRequestError, match=f"not a {kind.__name__} message"):
            decode(kind, b"<html>", not_utf8=CallNotFoundError)


def test_a_method_says_what_a_text_means_that_is_not_utf8() -> None:
    with pytest.raises(StoreUnavailableError):
        decode(pb.GetCallRequest, b"\n\x01\xff", not_utf8=StoreUnavailableError)


def test_an_off_air_call_is_known_to_be_so() -> None:
    off_air = LiveStatus(is_live=False, current_session_id=None, ended_at=None)
    read = pb.Call.FromString(encode_state(CallState(PLAIN_CALL, off_air)))
    assert read.HasField("live")
    assert not read.live.is_live
