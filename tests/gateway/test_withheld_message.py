"""gRPC callers who begin a call and do not send one whole message: they hold nothing of the servers."""

import base64
import struct
from contextlib import ExitStack

import pytest

from tests.support.callers.rest import Reply, ask, connected
from tests.support.envoy.gateway import Gateway, wait_for
from tests.support.stand_ins.upstream import Upstream

METHOD = "/livecalls.v1.LiveCalls/GetCall"
BEGUN = (
    f"POST {METHOD} HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc\r\ncontent-length: 9\r\n\r\n"
)


WHOLE = struct.pack(">BI", 0, 4) + b"\n\2no"
NOT_ONE = {
    "nothing": b"",
    "one byte": b"\0",
    "a cut prefix": WHOLE[:4],
    "a prefix alone": WHOLE[:5],
    "a cut message": WHOLE[:-1],
    "four GiB announced": b"\0\xff\xff\xff\xff" + WHOLE,
    "two messages": WHOLE * 2,
    "a byte behind it": WHOLE + b"\0",
    "another flag": b"\2" + WHOLE[1:],
}


@pytest.mark.parametrize("content", NOT_ONE.values(), ids=list(NOT_ONE))
@pytest.mark.parametrize("kind", ["", "-web+proto", "-web-text"])
def test_what_is_not_one_whole_message_is_refused(
    kind: str, content: bytes, gateway: Gateway, upstream: Upstream
) -> None:
    reply = post(gateway, kind, content)
    assert reply.header("grpc-status") == "13"
    assert reply.header("grpc-message") == "The call must have one whole message."
    assert upstream.requests == []


@pytest.mark.parametrize("kind", ["", "-web+proto", "-web-text"])
def test_a_whole_message_is_passed_on(kind: str, gateway: Gateway, upstream: Upstream) -> None:
    assert post(gateway, kind, WHOLE).header("grpc-status") == "5"
    assert [request.id for request in upstream.requests] == ["no"]


def test_base64_that_is_cut_off_is_refused(gateway: Gateway, upstream: Upstream) -> None:
    headers = {"content-type": "application/grpc-web-text", "content-length": "5"}
    assert ask(gateway.url, "POST", METHOD, headers, b"AAAAA").header("grpc-status") == "13"
    assert upstream.requests == []


def post(gateway: Gateway, kind: str, content: bytes) -> Reply:
    body = base64.b64encode(content) if kind.endswith("text") else content
    headers = {"content-type": f"application/grpc{kind}", "content-length": str(len(body))}
    return ask(gateway.url, "POST", METHOD, headers, body)


def test_one_that_is_not_whole_does_not_reach_a_server(
    gateway: Gateway, upstream: Upstream, rest_url: str
) -> None:
    active = gateway.counter("http.rest.downstream_rq_active")
    with ExitStack() as callers:
        for _ in range(20):
            callers.enter_context(connected(gateway.address)).sendall(BEGUN.encode())
        wait_for(lambda: gateway.counter("http.rest.downstream_rq_active") >= active + 20 or None)
        ask(rest_url, "GET", "/v1/live/calls/none")
        assert [request.id for request in upstream.requests] == ["none"]
