import socket
from collections.abc import Iterator
from time import monotonic

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.callers.rest import ask
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.stand_ins.upstream import Upstream

PATH = "/v1/live/calls/any"
REQUEST = pb.GetCallRequest(id="any")


@pytest.fixture(scope="module")
def hasty_gateway(
    running_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("hasty")
    with gateway_running(running_upstream.port, folder, REST_TIMEOUT_MS="300") as running:
        yield running


@pytest.fixture(scope="module")
def silent_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in front of a port that never responds."""
    folder = tmp_path_factory.mktemp("silent")
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        gateway_running(silent.getsockname()[1], folder, REST_TIMEOUT_MS="300") as running,
    ):
        yield running


@pytest.mark.parametrize("verb", ["GET", "HEAD"])
def test_a_rest_request_ends_in_time(verb: str, hasty_gateway: Gateway, upstream: Upstream) -> None:
    upstream.hangs()
    reply = ask(hasty_gateway.url, verb, PATH)
    assert reply.status == 504
    assert verb == "HEAD" or reply.json()["error"] == "deadline_exceeded"
    assert reply.header("cache-control") == "no-store"


def test_the_server_is_told_and_gives_up(hasty_gateway: Gateway, upstream: Upstream) -> None:
    upstream.hangs()
    ask(hasty_gateway.url, "GET", PATH)
    (request,) = upstream.requests
    assert 0 < request.time_left <= 0.3
    assert request.given_up.wait(5)


def test_a_rest_caller_cannot_change_the_deadline(gateway: Gateway, upstream: Upstream) -> None:
    headers = {"grpc-timeout": "1n", "x-envoy-upstream-rq-timeout-ms": "1"}
    assert ask(gateway.url, "GET", PATH, headers).status == 404
    (request,) = upstream.requests
    assert 1 < request.time_left <= 5.1  # the forwarding server rounds it up


def test_a_grpc_caller_sets_its_own_within_a_minute(hasty_gateway: Gateway, upstream: Upstream) -> None:
    with grpc.insecure_channel(hasty_gateway.address) as channel:
        for timeout in (None, 30):
            with pytest.raises(grpc.RpcError) as caught:
                LiveCallsStub(channel).GetCall(REQUEST, timeout=timeout)
            assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    without, with_one = upstream.requests
    assert 50 < without.time_left <= 61
    assert 1 < with_one.time_left <= 31


def test_a_server_that_says_nothing_is_not_waited_for(silent_gateway: Gateway) -> None:
    asked_at = monotonic()
    reply = ask(silent_gateway.url, "GET", PATH)
    assert monotonic() - asked_at < 5
    assert reply.status == 504
    assert reply.json() == {
        "error": "deadline_exceeded",
        "message": "The service gave no answer in time.",
    }


def test_nor_beyond_the_deadline_of_a_grpc_caller(silent_gateway: Gateway) -> None:
    headers = {
        "content-type": "application/grpc",
        "grpc-timeout": "300m",
        "content-length": "5",
    }
    reply = ask(silent_gateway.url, "POST", "/livecalls.v1.LiveCalls/GetCall", headers, bytes(5))
    assert reply.header("grpc-status") == str(grpc.StatusCode.DEADLINE_EXCEEDED.value[0])


def test_a_grpc_caller_that_stops_waiting_frees_the_server(gateway: Gateway, upstream: Upstream) -> None:
    upstream.hangs()
    with grpc.insecure_channel(gateway.address) as channel, pytest.raises(grpc.RpcError) as caught:
        LiveCallsStub(channel).GetCall(REQUEST, timeout=0.3)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert upstream.requests[0].given_up.wait(5)


@pytest.mark.parametrize("timeout", ["zz", "5s5", "5", "S", "-1S", "123456789S", "1S,1S", "1 S"])
def test_a_malformed_deadline_is_refused_and_spoils_nobody_else_s(
    timeout: str, gateway: Gateway, upstream: Upstream
) -> None:
    headers = {"content-type": "application/grpc", "grpc-timeout": timeout, "content-length": "0"}
    for _ in range(3):
        reply = ask(gateway.url, "POST", "/livecalls.v1.LiveCalls/GetCall", headers)
        assert reply.header("grpc-status") == str(grpc.StatusCode.INTERNAL.value[0])
        assert reply.header("grpc-message") == "The grpc-timeout is malformed."
    assert {ask(gateway.url, "GET", PATH).status for _ in range(60)} == {404}
