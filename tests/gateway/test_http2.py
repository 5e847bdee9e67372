import grpc
import pytest

from tests.support.callers.http2 import DATA, HEADERS, ask_http2
from tests.support.callers.rest import ask
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

CALL = "/v1/live/calls/11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize("path", [CALL, f"{CALL}x"], ids=["200", "404"])
def test_a_get_ends_with_its_body_and_nothing_new(path: str, rest_url: str, gateway: Gateway) -> None:
    frames = ask_http2(gateway.address, "GET", path)
    assert (
        b"".join(frame.payload for frame in frames if frame.kind == DATA)
        == ask(rest_url, "GET", path).body
    )
    trailers = [frame for frame in frames[1:] if frame.kind != DATA]
    # HPACK's form of a header that was already sent is a byte: the request's id again, nothing of gRPC.
    assert [frame for frame in trailers if len(frame.payload) > 1] == []


@pytest.mark.parametrize(
    ("path", "headers"),
    [(CALL, {}), (CALL, {"if-none-match": "*"}), (f"{CALL}x", {}), ("/", {})],
    ids=["200", "304", "404", "elsewhere"],
)
def test_a_head_has_no_body(path: str, headers: dict[str, str], rest_url: str, gateway: Gateway) -> None:
    assert rest_url == gateway.url
    frames = ask_http2(gateway.address, "HEAD", path, headers)
    assert {frame.kind for frame in frames} <= {HEADERS, DATA}
    assert b"".join(frame.payload for frame in frames if frame.kind == DATA) == b""


def test_a_head_fails_without_a_body(gateway: Gateway, upstream: Upstream) -> None:
    upstream.fails(grpc.StatusCode.UNAVAILABLE, "Away.")
    frames = ask_http2(gateway.address, "HEAD", CALL)
    assert {frame.kind for frame in frames} <= {HEADERS, DATA}
    assert b"".join(frame.payload for frame in frames if frame.kind == DATA) == b""
