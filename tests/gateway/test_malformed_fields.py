"""Headers and trailers that gRPC's core cannot parse must not break other callers' calls.

Envoy puts all callers on a few connections to a server, and core remembers on each what it could not
parse.
"""

from contextlib import ExitStack

import grpc
import pytest

from tests.support.callers.raw_grpc import FIELDS, Fields, raw_grpc
from tests.support.callers.rest import ask
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

NOT_FOUND = grpc.StatusCode.NOT_FOUND
HEADERS = {
    b":method": (b"PUT", b"GET", b"BREW", b"post"),
    b":scheme": (b"", b"ftp", b"HTTP", b"\xff"),
    b":authority": (b"", b"a b", b"\xff", b"a@b"),
    b":path": (b"/livecalls.v1.LiveCalls/GetCall\xff", b"/livecalls.v1.LiveCalls/", b"*"),
    b"content-type": (b"application/grpc+json", b"application/grpcfoo", b"application/grpc;\xff"),
    b"te": (b"", b"zz", b"trailers, deflate", b"gzip"),
    b"grpc-timeout": (b"zz", b"", b"1", b"123456789S", b"-1S", b"1.5S", b"\xff"),
    b"grpc-encoding": (b"zstd", b"snappy", b"GZIP", b"\xff"),
    b"grpc-accept-encoding": (b"zz", b",,", b"\xff"),
    b"grpc-internal-encoding-request": (b"zz", b""),
    b"grpc-previous-rpc-attempts": (b"zz", b"-1", b"99999999999999999999"),
    b"grpc-retry-pushback-ms": (b"zz", b"99999999999999999999"),
    b"grpc-status": (b"zz", b"-1"),
    b"grpc-message": (b"%zz", b"\xff"),
    b"grpc-trace-bin": (b"!", b"a", b"\xff"),
    b"grpc-tags-bin": (b"!", b"a"),
    b"grpc-server-stats-bin": (b"!", b"a"),
    b"endpoint-load-metrics-bin": (b"!", b"a"),
    b"lb-cost-bin": (b"!", b"a", b"AAAA"),
    b"lb-token": (b"\xff",),
    b"a-bin": (b"!", b"a", b"AA,!"),
    b"user-agent": (b"\xff",),
    b"host": (b"", b"a b"),
    b"x-envoy-peer-metadata": (b"\xff",),
    b"traceparent": (b"zz", b"\xff"),
    b"x-request-id": (b"\xff", b"a b"),
    b"authorization": (b"\xff",),
    b"x~a": (b"a",),
    b"!#$%&'*+^`|": (b"a",),
}
# With which a request is well-formed, so that it may refer to the names that the malformed ones had.
GOOD = [
    (b"grpc-timeout", b"20S"),
    (b"grpc-encoding", b"gzip"),
    (b"grpc-accept-encoding", b"gzip"),
    (b"grpc-previous-rpc-attempts", b"1"),
    (b"grpc-trace-bin", b"AAAA"),
    (b"a-bin", b"AAAA"),
    (b"user-agent", b"a"),
    (b"x-request-id", b"a"),
]
IN_TRAILERS = [name for name in HEADERS if not name.startswith(b":") and name != b"host"]


@pytest.mark.parametrize("name", HEADERS)
def test_a_malformed_header_spoils_nobody_else(
    name: bytes, gateway: Gateway, upstream: Upstream
) -> None:
    send(gateway, [({**FIELDS, name: value}.items(), ()) for value in HEADERS[name]])
    assert_a_hundred_others_are_answered(gateway, upstream)


@pytest.mark.parametrize("name", IN_TRAILERS)
def test_a_malformed_trailer_spoils_nobody_else(
    name: bytes, gateway: Gateway, upstream: Upstream
) -> None:
    send(gateway, [(FIELDS.items(), [(name, value)]) for value in HEADERS[name]])
    assert_a_hundred_others_are_answered(gateway, upstream)


def send(gateway: Gateway, requests: list[tuple[Fields, Fields]]) -> None:
    """Send headers and trailers, each on some connections, so that each thread of Envoy's has them."""
    with ExitStack() as stack:
        callers = []
        for fields, trailers in requests * 6:
            callers.append(stack.enter_context(raw_grpc(gateway.address)))
            callers[-1].send_fields(fields, trailers=trailers)
        for caller in callers:
            caller.wait_for_end()


def assert_a_hundred_others_are_answered(gateway: Gateway, upstream: Upstream) -> None:
    upstream.requests.clear()
    for _ in range(10):
        assert ask(gateway.url, "GET", "/v1/live/calls/none").status == 404
        with raw_grpc(gateway.address) as caller:
            assert {caller.ask_fields([*FIELDS.items(), *GOOD]) for _ in range(9)} == {NOT_FOUND}
    assert len(upstream.requests) == 100
