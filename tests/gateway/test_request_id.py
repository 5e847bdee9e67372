import re
from uuid import uuid1

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.callers.raw_grpc import FIELDS, raw_grpc
from tests.support.callers.rest import ask, send_raw
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

PATH = "/v1/live/calls/any"
CALL_ID = "11111111-1111-4111-8111-111111111111"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize(
    ("verb", "path", "headers"),
    [
        ("GET", f"/v1/live/calls/{CALL_ID}", {}),
        ("HEAD", f"/v1/live/calls/{CALL_ID}", {}),
        ("GET", f"/v1/live/calls/{CALL_ID}", {"if-none-match": "*"}),
        ("GET", PATH, {}),
        ("POST", PATH, {}),
        ("GET", "/elsewhere", {}),
    ],
    ids=["200", "head", "304", "404", "405", "elsewhere"],
)
@pytest.mark.parametrize("prefix", ["", "any:printable~text-", None], ids=["uuid", "text", "none"])
def test_it_is_taken_or_made_returned_and_logged(  # noqa: PLR0913, PLR0917 - a case and what it needs
    verb: str, path: str, headers: dict[str, str], prefix: str | None, rest_url: str, gateway: Gateway
) -> None:
    given = None if prefix is None else f"{prefix}{uuid1()}"
    reply = ask(rest_url, verb, path, {**headers, **({"x-request-id": given} if given else {})})
    request_id = reply.header("x-request-id")
    assert request_id is not None
    assert request_id == given if given else UUID.fullmatch(request_id)
    logged = gateway.access_logged(request_id)
    assert (logged["method"], logged["path"], logged["status"]) == (verb, path, reply.status)


def test_the_server_reads_the_same(gateway: Gateway, upstream: Upstream) -> None:
    upstream.fails(grpc.StatusCode.NOT_FOUND, "x", trailers=(("x-request-id", "of-the-server"),))
    reply = ask(gateway.url, "GET", PATH)
    assert upstream.requests[0].metadata["x-request-id"] == reply.header("x-request-id")


@pytest.mark.parametrize(
    ("given", "taken"),
    [("a b", "a_b"), ("\xff", "_"), ("a" * 200, "a" * 128), ("a" * 20_000, "a" * 128)],
    ids=["space", "no ascii", "long", "very long"],
)
def test_one_that_no_log_should_hold_is_made_fit(
    given: str, taken: str, gateway: Gateway, upstream: Upstream
) -> None:
    reply = ask(gateway.url, "GET", PATH, {"x-request-id": given})
    assert reply.header("x-request-id") == taken
    assert upstream.requests[0].metadata["x-request-id"] == taken


def test_what_is_no_request_has_one_too(gateway: Gateway) -> None:
    request_id = send_raw(gateway.url, b"GARBAGE\r\n\r\n").header("x-request-id")
    assert request_id is not None
    assert gateway.access_logged(request_id)["status"] == 400


def test_a_grpc_request_has_one(gateway: Gateway, upstream: Upstream) -> None:
    with grpc.insecure_channel(gateway.address) as channel, pytest.raises(grpc.RpcError):
        LiveCallsStub(channel).GetCall(
            pb.GetCallRequest(id="any"), metadata=(("x-request-id", "of-grpc"),)
        )
    assert upstream.requests[0].metadata["x-request-id"] == "of-grpc"
    logged = gateway.access_logged("of-grpc")
    assert (logged["path"], logged["grpc_status"]) == ("/livecalls.v1.LiveCalls/GetCall", "5")


@pytest.mark.parametrize(
    ("given", "taken"),
    [(b"by grpc", "by_grpc"), (b"grpc\xff", "grpc_"), (b"g" * 9000, "g" * 128)],
    ids=["space", "no ascii", "long"],
)
def test_one_of_a_grpc_request_is_made_fit_too(
    given: bytes, taken: str, gateway: Gateway, upstream: Upstream
) -> None:
    upstream.runs(lambda request, _: pb.Call(id=str(request.metadata["x-request-id"])))
    with raw_grpc(gateway.address) as caller:
        caller.ask_fields([*FIELDS.items(), (b"x-request-id", given)])
    assert upstream.requests[0].metadata["x-request-id"] == taken
    assert gateway.access_logged(taken)["path"] == "/livecalls.v1.LiveCalls/GetCall"


def test_the_log_line_names_the_standalone_server(standalone: Gateway, upstream: Upstream) -> None:
    ask(standalone.url, "GET", PATH, {"x-request-id": "who-answered"})
    assert standalone.access_logged("who-answered")["upstream"] == f"127.0.0.1:{upstream.port}"


@pytest.mark.usefixtures("upstream")
def test_the_log_line_says_what_became_of_it(gateway: Gateway) -> None:
    ask(gateway.url, "GET", f"{PATH}?x=1", {"x-request-id": "all-of-it"})
    logged = gateway.access_logged("all-of-it")
    assert logged["path"] == PATH  # and no query, which might hold a token
    assert logged["duration_ms"] >= 0
    assert logged["flags"] == "-"
    assert logged.keys() >= {"time", "protocol", "details", "grpc_status"}
