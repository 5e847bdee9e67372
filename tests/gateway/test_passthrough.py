import base64
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.callers.rest import Reply, ask
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import CHALLENGE, Upstream

METHOD = "/livecalls.v1.LiveCalls/GetCall"
REQUEST = pb.GetCallRequest(id="any")
MOMENT = datetime(2026, 5, 4, tzinfo=UTC)
CALL = pb.Call(id="any", title="Yoga", created_at=MOMENT, updated_at=MOMENT)


@pytest.fixture
def channel(gateway: Gateway) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(gateway.address) as channel:
        yield channel


def test_grpc_passes_unshaped(channel: grpc.Channel, upstream: Upstream) -> None:
    upstream.answers(CALL)
    assert LiveCallsStub(channel).GetCall(REQUEST) == CALL


def test_a_grpc_failure_passes_with_its_details(channel: grpc.Channel, upstream: Upstream) -> None:
    upstream.fails(grpc.StatusCode.NOT_FOUND, "So it is.", ErrorInfo(reason="CALL_NOT_FOUND"))
    with pytest.raises(grpc.RpcError) as caught:
        LiveCallsStub(channel).GetCall(REQUEST)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "So it is."
    trailers = {trailer.key: trailer.value for trailer in caught.value.trailing_metadata() or ()}
    (detail,) = Status.FromString(bytes(trailers["grpc-status-details-bin"])).details
    assert detail.Is(ErrorInfo.DESCRIPTOR)


def test_a_challenge_stays_a_trailer(channel: grpc.Channel, upstream: Upstream) -> None:
    upstream.fails(grpc.StatusCode.UNAUTHENTICATED, "So it is.", trailers=(CHALLENGE,))
    with pytest.raises(grpc.RpcError) as caught:
        LiveCallsStub(channel).GetCall(REQUEST)
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    name, challenge = CHALLENGE
    trailers = caught.value.trailing_metadata() or ()
    assert [str(trailer.value) for trailer in trailers if trailer.key == name] == [challenge]


def test_an_answer_may_be_much_longer_than_a_request(
    channel: grpc.Channel, gateway: Gateway, upstream: Upstream
) -> None:
    call = pb.Call(
        title="x" * 4_000_000, status=pb.CALL_STATUS_LIVE, created_at=MOMENT, updated_at=MOMENT
    )
    upstream.answers(call)
    assert LiveCallsStub(channel).GetCall(REQUEST) == call
    assert ask(gateway.url, "GET", "/v1/live/calls/any").json()["title"] == call.title


@pytest.mark.parametrize("method", ["/livecalls.v1.LiveCalls/NoSuch", "/no.such.Service/GetCall", "/"])
def test_another_method_is_unimplemented(method: str, channel: grpc.Channel) -> None:
    call: grpc.UnaryUnaryMultiCallable[pb.GetCallRequest, bytes] = channel.unary_unary(
        method, pb.GetCallRequest.SerializeToString
    )
    with pytest.raises(grpc.RpcError) as caught:
        call(REQUEST)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "{" not in str(caught.value.details())


@pytest.mark.parametrize("content_type", ["application/grpc-web+proto", "application/grpc-web-text"])
def test_grpc_web_passes(content_type: str, gateway: Gateway, upstream: Upstream) -> None:
    upstream.answers(CALL)
    reply = ask_grpc_web(gateway, content_type)
    body = decoded(reply.body) if content_type.endswith("text") else reply.body
    (length,) = struct.unpack(">xI", body[:5])
    assert pb.Call.FromString(body[5 : 5 + length]) == CALL
    assert b"grpc-status:0" in body[5 + length :]


def test_a_grpc_web_failure_passes(gateway: Gateway, upstream: Upstream) -> None:
    upstream.fails(grpc.StatusCode.NOT_FOUND, "So it is.")
    reply = ask_grpc_web(gateway, "application/grpc-web+proto")
    assert reply.status == 200
    assert reply.header("grpc-status") == "5"
    assert reply.header("grpc-message") == "So it is."


def decoded(text: bytes) -> bytes:
    """Decode Base64 that is padded in the middle too: every frame is encoded on its own."""
    return b"".join(base64.b64decode(part) for part in re.findall(rb"[^=]+=*", text))


def ask_grpc_web(gateway: Gateway, content_type: str) -> Reply:
    message = REQUEST.SerializeToString()
    frame = struct.pack(">xI", len(message)) + message
    body = base64.b64encode(frame) if content_type.endswith("text") else frame
    headers = {"content-type": content_type, "accept": content_type, "content-length": str(len(body))}
    return ask(gateway.url, "POST", METHOD, headers, body)
