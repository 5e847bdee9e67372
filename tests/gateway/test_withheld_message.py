"""gRPC callers who begin a call and send no message: they hold nothing of the servers."""

from contextlib import ExitStack

from tests.support.gateway import Gateway, wait_for
from tests.support.rest import ask, connected
from tests.support.upstream import Upstream

METHOD = "/livecalls.v1.LiveCalls/GetCall"
BEGUN = (
    f"POST {METHOD} HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc\r\ncontent-length: 9\r\n\r\n"
)


def test_a_call_without_a_message_is_refused(gateway: Gateway) -> None:
    reply = ask(gateway.url, "POST", METHOD, {"content-type": "application/grpc"})
    assert reply.header("grpc-status") == "13"
    assert reply.header("grpc-message") == "The call has no message."


def test_by_grpc_web_too(gateway: Gateway) -> None:
    reply = ask(gateway.url, "POST", METHOD, {"content-type": "application/grpc-web+proto"})
    assert (reply.status, reply.json()["error"]) == (400, "invalid_argument")


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
