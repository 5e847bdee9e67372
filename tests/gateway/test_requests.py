import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.callers.rest import ask
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

CALLS = "/v1/live/calls/"
CALL_ID = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("segment", "call_id"),
    [
        (CALL_ID, CALL_ID),
        (CALL_ID.upper(), CALL_ID.upper()),
        ("a%2Fb", "a/b"),
        ("a:b", "a:b"),
        ("caf%C3%A9", "café"),
        ("..%2F..", "../.."),
        ("%zz", "%zz"),
        ("a" * 10_000, "a" * 10_000),
    ],
)
def test_the_server_gets_the_id_of_the_path(
    segment: str, call_id: str, gateway: Gateway, upstream: Upstream
) -> None:
    reply = ask(gateway.url, "GET", CALLS + segment)
    assert reply.status == 404
    assert reply.json() == {"error": "not_found", "message": "No call has this id."}
    assert [request.id for request in upstream.requests] == [call_id]


@pytest.mark.parametrize(
    "path",
    [
        f"/{CALLS}{CALL_ID}",
        f"/v1//live///calls//{CALL_ID}",
        f"{CALLS}a/../{CALL_ID}",
        f"{CALLS}%2e%2E/calls/{CALL_ID}",
        f"/%76%31/live/calls/{CALL_ID}",
    ],
)
def test_a_path_has_one_meaning_however_it_is_written(
    path: str, gateway: Gateway, upstream: Upstream
) -> None:
    assert ask(gateway.url, "GET", path).status == 404
    assert [request.id for request in upstream.requests] == [CALL_ID]


@pytest.mark.parametrize("segment", ["%00", "a%00b"])
def test_an_id_with_a_nul_is_malformed(segment: str, gateway: Gateway, upstream: Upstream) -> None:
    reply = ask(gateway.url, "GET", CALLS + segment)
    assert (reply.status, reply.json()["error"]) == (400, "invalid_argument")
    assert upstream.requests == []


def test_an_id_that_is_not_utf8_reaches_the_server(gateway: Gateway, upstream: Upstream) -> None:
    assert ask(gateway.url, "GET", CALLS + "%FF").status == 404
    assert [request.message for request in upstream.requests] == [b"\n\x01\xff"]


@given(
    segment=st.binary(min_size=1, max_size=20).map(lambda data: "".join(f"%{byte:02X}" for byte in data))
)
@settings(max_examples=200)
def test_no_id_makes_a_fault(gateway: Gateway, running_upstream: Upstream, segment: str) -> None:
    running_upstream.reset()
    reply = ask(gateway.url, "GET", CALLS + segment)
    assert (reply.status, reply.json()["error"]) == (
        (400, "invalid_argument") if "%00" in segment else (404, "not_found")
    )


@pytest.mark.parametrize(
    "query",
    ["?id=other", "?id=a&id=b", "?anything=1", "?id", "?", "?title=x&live.is_live=true", "?%FF=%00"],
)
def test_a_query_is_ignored(query: str, gateway: Gateway, upstream: Upstream) -> None:
    assert ask(gateway.url, "GET", CALLS + CALL_ID + query).status == 404
    assert [request.id for request in upstream.requests] == [CALL_ID]


@pytest.mark.parametrize("body", [b'{"id":"other"}', b"no json", b"\0" * 65_536])
@pytest.mark.parametrize("verb", ["GET", "HEAD"])
def test_content_is_ignored(verb: str, body: bytes, gateway: Gateway, upstream: Upstream) -> None:
    headers = {"content-length": str(len(body)), "content-type": "application/json"}
    assert ask(gateway.url, verb, CALLS + CALL_ID, headers, body).status == 404
    assert [request.id for request in upstream.requests] == [CALL_ID]


def test_cookies_and_the_like_do_not_reach_the_server(gateway: Gateway, upstream: Upstream) -> None:
    headers = {
        "authorization": "Bearer x",
        "cookie": "a" * 20_000,
        "origin": "https://a.example.com",
        "traceparent": "00-a-b-01",
        "x-envoy-upstream-rq-timeout-ms": "1",
    }
    assert ask(gateway.url, "GET", CALLS + CALL_ID, headers).status == 404
    reached = upstream.requests[0].metadata.keys()
    read = {"authorization", "x-forwarded-for", "x-request-id"}
    assert read <= reached <= read | {"user-agent", "x-forwarded-proto"}


@pytest.mark.parametrize(
    "verb", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "BREW", "get", "PRI"]
)
@pytest.mark.parametrize("body", [None, b'{"id":"other"}'])
def test_another_verb_is_not_allowed(
    verb: str, body: bytes | None, gateway: Gateway, upstream: Upstream
) -> None:
    headers = {"content-length": str(len(body or b""))}
    reply = ask(gateway.url, verb, CALLS + CALL_ID, headers, body)
    assert reply.status == 405
    assert reply.header("allow") == "GET, HEAD"
    assert reply.json() == {
        "error": "method_not_allowed",
        "message": "Only GET and HEAD are allowed here.",
    }
    assert upstream.requests == []


def test_a_head_answers_as_a_get_without_the_body(rest_url: str) -> None:
    get, head = (ask(rest_url, verb, CALLS + CALL_ID, {"x-request-id": "a"}) for verb in ("GET", "HEAD"))
    assert head.body == b""
    assert head.header("content-length") == str(len(get.body))
    assert {*head.headers} - {*get.headers} <= {("date", head.header("date"))}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/live/calls",
        CALLS,
        f"{CALLS}{CALL_ID}/",
        f"{CALLS}{CALL_ID}/x",
        f"{CALLS}.",
        f"{CALLS}..",
        f"{CALLS}%2e%2e",
        f"{CALLS}a\\b",
        f"/x{CALLS}a",
        "/v1/Live/calls/a",
    ],
)
@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST"])
def test_there_is_nothing_elsewhere(verb: str, path: str, gateway: Gateway, upstream: Upstream) -> None:
    reply = ask(gateway.url, verb, path)
    assert reply.status == 404
    assert verb == "HEAD" or reply.json()["error"] == "not_found"
    assert upstream.requests == []


@pytest.mark.parametrize("verb", ["GET", "POST"])
@pytest.mark.parametrize("path", [CALLS + CALL_ID, "/other.Service/Method"])
def test_to_grpc_any_other_path_is_unimplemented(
    verb: str, path: str, gateway: Gateway, upstream: Upstream
) -> None:
    reply = ask(gateway.url, verb, path, {"content-type": "application/grpc", "content-length": "0"})
    assert reply.header("grpc-status") == str(grpc.StatusCode.UNIMPLEMENTED.value[0])
    reply = ask(gateway.url, verb, path, {"content-type": "application/grpc-web", "content-length": "0"})
    assert reply.status == 404
    assert upstream.requests == []


def test_json_is_not_posted_to_a_method(gateway: Gateway, upstream: Upstream) -> None:
    headers = {"content-type": "application/json", "content-length": "2"}
    assert ask(gateway.url, "POST", "/livecalls.v1.LiveCalls/GetCall", headers, b"{}").status == 404
    assert upstream.requests == []
