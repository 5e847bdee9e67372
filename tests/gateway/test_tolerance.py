"""What clients and proxies send by themselves, which must not prevent a reply."""

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.callers.raw_grpc import FIELDS, raw_grpc
from tests.support.callers.rest import ask, send_raw
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

CALL_ID = "11111111-1111-4111-8111-111111111111"
PATH = f"/v1/live/calls/{CALL_ID}"


@pytest.mark.parametrize("host", [b"", b"host: a\r\n"])
def test_http_1_0_is_answered(host: bytes, rest_url: str) -> None:
    reply = send_raw(rest_url, b"GET " + PATH.encode() + b" HTTP/1.0\r\n" + host + b"\r\n")
    assert reply.status == 200
    assert reply.header("connection") == "close"
    assert reply.json()["id"] == CALL_ID


def test_http_1_0_may_keep_the_connection(rest_url: str) -> None:
    asking = b"GET " + PATH.encode() + b" HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"
    assert send_raw(rest_url, asking).header("connection") == "keep-alive"


@pytest.mark.parametrize("protocol", ["TLS/1.2", "h2c", "websocket", "HTTP/2.0, SHTTP/1.3"])
@pytest.mark.parametrize("path", [PATH, "/openapi.yaml"])
def test_the_offer_of_another_protocol_is_ignored(protocol: str, path: str, rest_url: str) -> None:
    reply = ask(rest_url, "GET", path, {"connection": "Upgrade", "upgrade": protocol})
    assert reply.status == 200
    assert reply.header("upgrade") is None


def test_a_name_that_some_programs_take_for_another_is_dropped(
    gateway: Gateway, upstream: Upstream
) -> None:
    metadata = (("user_id", "7"), ("x_request_id", "odd"), ("x-request-id", "kept"))
    with grpc.insecure_channel(gateway.address) as channel, pytest.raises(grpc.RpcError) as raised:
        LiveCallsStub(channel).GetCall(pb.GetCallRequest(id="none"), metadata=metadata)
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND
    assert ask(gateway.url, "GET", PATH, {"user_id": "7", "x-request-id": "kept"}).status == 404
    for request in upstream.requests:
        assert request.metadata["x-request-id"] == "kept"
        assert not {name for name in request.metadata if "_" in name}
        assert "odd" not in request.metadata.values()


def test_grpc_needs_no_te(gateway: Gateway, upstream: Upstream) -> None:
    without_te = [field for field in FIELDS.items() if field[0] != b"te"]
    with raw_grpc(gateway.address) as caller:
        assert caller.ask_fields(without_te) == grpc.StatusCode.NOT_FOUND
    assert len(upstream.requests) == 1


def test_a_name_that_is_none_of_grpc_s_is_dropped(gateway: Gateway, upstream: Upstream) -> None:
    with raw_grpc(gateway.address) as caller:
        assert caller.ask_fields([*FIELDS.items(), (b"x~a", b"a")]) == grpc.StatusCode.NOT_FOUND
    assert "x~a" not in upstream.requests[0].metadata


def test_of_two_compressions_the_first_counts(gateway: Gateway, upstream: Upstream) -> None:
    two = [(b"grpc-encoding", b"gzip"), (b"grpc-encoding", b"zstd")]
    with raw_grpc(gateway.address) as caller:
        assert caller.ask_fields([*FIELDS.items(), *two]) == grpc.StatusCode.NOT_FOUND
        assert caller.ask_fields([*FIELDS.items(), *two[::-1]]) == grpc.StatusCode.UNIMPLEMENTED
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"te", b"gzip"),
        (b"X", b"a"),
        (b"connection", b"close"),
        (b"a", b"\x01"),
        (b"content-length", b"-1"),
        (b":authority", b"user@a"),
        (b":path", b"/a b"),
    ],
)
@pytest.mark.usefixtures("upstream")
def test_a_malformed_request_ends_no_other_on_its_connection(
    name: bytes, value: bytes, gateway: Gateway
) -> None:
    with raw_grpc(gateway.address) as caller:
        caller.send_fields({**FIELDS, name: value}.items())
        caller.wait_for_end()
        assert caller.ask_fields(FIELDS.items()) == grpc.StatusCode.NOT_FOUND
