"""What only looks like gRPC: rejected by HTTP, in the documented shape, and sent to no server."""

import struct

import pytest

from tests.support.callers.rest import Reply, ask, send_raw
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

METHOD = "/livecalls.v1.LiveCalls/GetCall"
MESSAGE = struct.pack(">BI", 0, 0)


def ask_by(gateway: Gateway, verb: str, content_type: str) -> Reply:
    headers = {"content-type": content_type, "content-length": str(len(MESSAGE))}
    return ask(gateway.url, verb, METHOD, headers, MESSAGE)


@pytest.mark.parametrize("verb", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"])
@pytest.mark.parametrize("kind", ["", "+proto", "+json", "-web", "-web-text", "; charset=utf-8"])
def test_another_verb(verb: str, kind: str, gateway: Gateway, upstream: Upstream) -> None:
    reply = ask_by(gateway, verb, f"application/grpc{kind}")
    assert (reply.status, reply.header("allow")) == (405, "POST")
    assert_shaped(reply, verb, "method_not_allowed", "Only POST is allowed here.")
    assert upstream.requests == []


@pytest.mark.parametrize(
    "kind",
    ["+json", "+thrift", "-web+json", "-web+thrift", "-web-text+json", "-web; charset=utf-8", "s"],
)
def test_another_content(kind: str, gateway: Gateway, upstream: Upstream) -> None:
    reply = ask_by(gateway, "POST", f"application/grpc{kind}")
    assert reply.status == 415
    assert_shaped(reply, "POST", "unsupported_media_type", "Only protobuf is spoken here.")
    assert upstream.requests == []


def assert_shaped(reply: Reply, verb: str, error: str, message: str) -> None:
    assert verb == "HEAD" or reply.json() == {"error": error, "message": message}
    assert (reply.body == b"") == (verb == "HEAD")
    assert reply.header("content-type") == "application/json"
    assert reply.header("cache-control") == "no-store"
    assert reply.header("x-request-id")
    assert [value for name, value in reply.headers if name.startswith("grpc-")] == []


@pytest.mark.parametrize("kind", ["", "+proto", "; charset=utf-8", "-web", "-web+proto"])
def test_a_call_is_one(kind: str, gateway: Gateway, upstream: Upstream) -> None:
    assert ask_by(gateway, "POST", f"application/grpc{kind}").header("grpc-status") == "5"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("kind", ["", "-web"])
@pytest.mark.parametrize("encoding", ["zstd", "snappy", "br", "gzip, zstd", ""])
def test_another_compression_is_unimplemented_and_others_are_named(
    encoding: str, kind: str, gateway: Gateway, upstream: Upstream
) -> None:
    headers = {"content-type": f"application/grpc{kind}", "grpc-encoding": encoding}
    reply = ask(gateway.url, "POST", METHOD, {**headers, "content-length": "5"}, MESSAGE)
    assert reply.header("grpc-status") == "12"
    assert reply.header("grpc-message") == (
        "The compression of the request is not known here: send it by gzip, by deflate, or as it is."
    )
    assert reply.header("grpc-accept-encoding") == "identity, deflate, gzip"
    assert upstream.requests == []


@pytest.mark.parametrize("request_", [b"CONNECT a:443 HTTP/1.1", b"OPTIONS * HTTP/1.1"])
def test_what_has_no_path_is_not_found(request_: bytes, gateway: Gateway, upstream: Upstream) -> None:
    reply = send_raw(gateway.url, request_ + b"\r\nhost: a\r\n\r\n")
    assert (reply.status, reply.header("allow")) == (404, None)
    assert reply.json() == {"error": "not_found", "message": "There is nothing at this path."}
    assert upstream.requests == []
