import struct

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb

from tests.gateway.conftest import ALLOWED_ORIGIN
from tests.support.callers.rest import Reply, ask
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

CALL = "/v1/live/calls/11111111-1111-4111-8111-111111111111"
PREFLIGHT = {
    "access-control-request-method": "GET",
    "access-control-request-headers": "authorization,content-type,if-none-match,traceparent,tracestate",
}
METHOD = "/livecalls.v1.LiveCalls/GetCall"
GRPC_WEB_PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": (
        "authorization,content-type,grpc-timeout,traceparent,tracestate,x-grpc-web,x-user-agent"
    ),
}
OTHER_ORIGINS = [
    "https://elsewhere.example.com",
    "http://app.example.com",
    f"{ALLOWED_ORIGIN}.evil.com",
    "null",
]


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [("GET", CALL, 200), ("HEAD", CALL, 200), ("GET", CALL + "x", 404), ("PUT", CALL, 405)],
)
def test_the_configured_origin_may_read(verb: str, path: str, status: int, rest_url: str) -> None:
    reply = ask(rest_url, verb, path, {"origin": ALLOWED_ORIGIN})
    assert reply.status == status
    assert reply.header("access-control-allow-origin") == ALLOWED_ORIGIN
    exposed = "etag, retry-after, www-authenticate, x-request-id"
    assert reply.header("access-control-expose-headers") == exposed
    assert reply.header("vary") == "Origin"


def test_it_may_read_that_nothing_changed(rest_url: str) -> None:
    reply = ask(rest_url, "GET", CALL, {"origin": ALLOWED_ORIGIN, "if-none-match": "*"})
    assert reply.status == 304
    assert reply.header("access-control-allow-origin") == ALLOWED_ORIGIN


def test_it_may_ask_first(rest_url: str) -> None:
    reply = ask(rest_url, "OPTIONS", CALL, {"origin": ALLOWED_ORIGIN, **PREFLIGHT})
    assert reply.status == 200
    assert reply.header("access-control-allow-origin") == ALLOWED_ORIGIN
    assert reply.header("access-control-allow-methods") == "GET, HEAD"
    assert headers_allowed(reply) >= set(PREFLIGHT["access-control-request-headers"].split(","))


@pytest.mark.parametrize("origin", OTHER_ORIGINS)
@pytest.mark.parametrize("verb", ["GET", "OPTIONS"])
def test_another_origin_learns_nothing(verb: str, origin: str, rest_url: str) -> None:
    reply = ask(rest_url, verb, CALL, {"origin": origin, **PREFLIGHT})
    assert reply.status == (200 if verb == "GET" else 405)
    assert allowances(reply) == []
    assert reply.header("vary") == "Origin"


def test_it_may_ask_first_by_grpc_web(gateway: Gateway, upstream: Upstream) -> None:
    reply = ask(gateway.url, "OPTIONS", METHOD, {"origin": ALLOWED_ORIGIN, **GRPC_WEB_PREFLIGHT})
    assert reply.status == 200
    assert reply.header("access-control-allow-origin") == ALLOWED_ORIGIN
    assert reply.header("access-control-allow-methods") == "POST"
    assert reply.header("access-control-max-age") == "600"
    assert headers_allowed(reply) >= set(GRPC_WEB_PREFLIGHT["access-control-request-headers"].split(","))
    assert upstream.requests == []


def test_what_only_looks_like_asking_first_goes_no_further(gateway: Gateway, upstream: Upstream) -> None:
    reply = ask(gateway.url, "OPTIONS", METHOD, {"origin": ALLOWED_ORIGIN})
    assert (reply.status, reply.json()["error"]) == (404, "not_found")
    assert upstream.requests == []


def test_it_may_read_a_status_by_grpc_web(gateway: Gateway, upstream: Upstream) -> None:
    upstream.fails(grpc.StatusCode.NOT_FOUND, "So it is.")
    reply = ask_grpc_web(gateway, ALLOWED_ORIGIN)
    assert reply.header("access-control-allow-origin") == ALLOWED_ORIGIN
    exposed = (reply.header("access-control-expose-headers") or "").split(", ")
    assert {"grpc-message", "grpc-status", "grpc-status-details-bin"} <= set(exposed)
    assert reply.header("grpc-status") == "5"


@pytest.mark.parametrize("origin", OTHER_ORIGINS)
def test_another_origin_learns_nothing_by_grpc_web(
    origin: str, gateway: Gateway, upstream: Upstream
) -> None:
    upstream.answers(pb.Call(id="any"))
    asked_first = ask(gateway.url, "OPTIONS", METHOD, {"origin": origin, **GRPC_WEB_PREFLIGHT})
    assert (asked_first.status, allowances(asked_first)) == (404, [])
    assert allowances(ask_grpc_web(gateway, origin)) == []


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
def test_what_is_allowed_by_grpc_web_is_not_by_rest(verb: str, rest_url: str) -> None:
    preflight = {**GRPC_WEB_PREFLIGHT, "access-control-request-method": verb}
    reply = ask(rest_url, "OPTIONS", CALL, {"origin": ALLOWED_ORIGIN, **preflight})
    assert reply.header("access-control-allow-methods") == "GET, HEAD"
    assert "x-grpc-web" not in headers_allowed(reply)


def headers_allowed(reply: Reply) -> set[str]:
    return set((reply.header("access-control-allow-headers") or "").split(", "))


def allowances(reply: Reply) -> list[str]:
    return [name for name, _ in reply.headers if name.startswith("access-control")]


def ask_grpc_web(gateway: Gateway, origin: str) -> Reply:
    message = pb.GetCallRequest(id="any").SerializeToString()
    body = struct.pack(">xI", len(message)) + message
    headers = {"content-type": "application/grpc-web+proto", "content-length": str(len(body))}
    return ask(gateway.url, "POST", METHOD, {"origin": origin, **headers}, body)
