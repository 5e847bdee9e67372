import pytest

from tests.support.callers.rest import Reply, ask, send_raw
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

PATH = b"/v1/live/calls/any"
MALFORMED = {
    "no http": b"GARBAGE\r\n\r\n",
    "no host": b"GET " + PATH + b" HTTP/1.1\r\n\r\n",
    "control character": b"GET " + PATH + b"\x01 HTTP/1.1\r\nhost: a\r\n\r\n",
    "no ascii": b"GET " + PATH + b"\xff HTTP/1.1\r\nhost: a\r\n\r\n",
    "fragment": b"GET " + PATH + b"#a HTTP/1.1\r\nhost: a\r\n\r\n",
    "header": b"GET " + PATH + b" HTTP/1.1\r\nhost: a\r\na b: c\r\n\r\n",
    "length": b"GET " + PATH + b" HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
    "two lengths": b"GET "
    + PATH
    + b" HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
}


def assert_shaped(reply: Reply, status: int, error: str) -> None:
    assert reply.status == status
    assert list(reply.json()) == ["error", "message"]
    assert reply.json()["error"] == error
    assert reply.header("content-type") == "application/json"
    assert reply.header("cache-control") == "no-store"
    assert reply.header("x-request-id")


@pytest.mark.parametrize("request_", MALFORMED.values(), ids=list(MALFORMED))
def test_what_is_no_request_is_a_shaped_400(request_: bytes, gateway: Gateway) -> None:
    assert_shaped(send_raw(gateway.url, request_), 400, "invalid_argument")


def test_a_transfer_encoding_that_is_not_spoken(gateway: Gateway) -> None:
    reply = send_raw(
        gateway.url, b"GET " + PATH + b" HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n"
    )
    assert_shaped(reply, 501, "unimplemented")


@pytest.mark.parametrize(
    ("path", "cookie"), [(PATH.decode(), "a" * 100_000), (PATH.decode() + "a" * 100_000, "")]
)
def test_too_large_a_head(path: str, cookie: str, gateway: Gateway) -> None:
    reply = ask(gateway.url, "GET", path, {"cookie": cookie})
    assert_shaped(reply, 431, "request_header_fields_too_large")


def test_too_large_a_body(gateway: Gateway, upstream: Upstream) -> None:
    # Announces more than it sends, as a reply can be lost if the peer still sends.
    reply = ask(gateway.url, "GET", PATH.decode(), {"content-length": "20000000"}, b"\0" * 65_537)
    assert_shaped(reply, 413, "payload_too_large")
    assert upstream.requests == []


def test_too_many_headers(gateway: Gateway) -> None:
    headers = {f"x-{number}": "a" for number in range(101)}
    reply = ask(gateway.url, "GET", PATH.decode(), headers)
    assert_shaped(reply, 431, "request_header_fields_too_large")
