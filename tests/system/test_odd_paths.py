"""Paths that are not UTF-8: grpc.aio accepts nothing more after one, so none may get there."""

from contextlib import suppress

import pytest

from demo.readiness import grpc_answers, wait_until
from tests.support.callers.raw_grpc import raw_grpc
from tests.support.callers.rest import send_raw
from tests.support.server.demo import RunningDemo
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Stack

METHOD = b"/livecalls.v1.LiveCalls/GetCall"


@pytest.mark.parametrize("path", [METHOD + b"?\xff", METHOD + b"\xff", METHOD + b"?x=1", METHOD + b"/"])
def test_through_the_gateway_they_reach_no_server(stack: Stack, path: bytes) -> None:
    _, through_envoy = stack.grpc_addresses
    with raw_grpc(through_envoy) as connection:
        connection.send(path)
        assert connection.last_headers()
    assert stack.get().status == 200


@pytest.mark.parametrize("path", [b"/v1/live/calls/x?\xff", b"/v1/live/calls/\xff", b"/\xff"])
def test_nor_by_rest(stack: Stack, path: bytes) -> None:
    reply = send_raw(stack.gateway.url, b"GET " + path + b" HTTP/1.1\r\nhost: a\r\n\r\n")
    assert 400 <= reply.status < 500
    assert stack.get().status == 200


@pytest.mark.parametrize("deployment", [Deployment.STANDALONE], indirect=True)
def test_one_sent_straight_ends_the_process_which_is_started_again(demo: RunningDemo) -> None:
    address, again = f"127.0.0.1:{demo.grpc_port}", "The server ended (1); starting it again"
    with raw_grpc(address) as connection, suppress(Exception):
        connection.send(b"/\xff")
        connection.last_headers()
    assert wait_until(lambda: again in demo.output(), 20), demo.output()
    assert wait_until(lambda: grpc_answers(address), 20)
    assert "Error: gRPC takes no more requests" in demo.output()
