import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

from tests.support.callers.rest import ask
from tests.support.envoy.envoy_configuration import EnvoyConfiguration
from tests.support.envoy.gateway import gateway_running, wait_for
from tests.support.stand_ins.upstream import Upstream

PATH = "/v1/live/calls/any"
RETRIES = "cluster.livecalls.upstream_rq_retry"


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose backlog is full: connecting neither succeeds nor fails."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def test_what_cannot_be_connected_to_is_tried_again_twice(tmp_path: Path) -> None:
    nobody_listens = 1
    with gateway_running(nobody_listens, tmp_path) as gateway:
        assert ask(gateway.url, "GET", PATH).status == 503
        assert gateway.counter(RETRIES) == 2


def test_but_only_within_the_time_out_of_a_rest_request(deaf_port: int, tmp_path: Path) -> None:
    # A try takes 500 ms, so that the third could not end before 1.5 s.
    with gateway_running(deaf_port, tmp_path, REST_TIMEOUT_MS="950") as gateway:
        assert ask(gateway.url, "GET", PATH).status == 504
        assert gateway.counter(RETRIES) == 1


def test_and_within_the_deadline_of_a_grpc_caller(deaf_port: int, tmp_path: Path) -> None:
    headers = {"content-type": "application/grpc", "grpc-timeout": "950m", "content-length": "5"}
    with gateway_running(deaf_port, tmp_path) as gateway:
        reply = ask(gateway.url, "POST", "/livecalls.v1.LiveCalls/GetCall", headers, bytes(5))
        assert reply.header("grpc-status") == str(grpc.StatusCode.DEADLINE_EXCEEDED.value[0])
        assert gateway.counter(RETRIES) == 1


def one_request_at_once(configuration: EnvoyConfiguration) -> None:
    thresholds, *_ = configuration.cluster["circuit_breakers"]["thresholds"]
    thresholds["max_requests"] = 1


def test_no_more_are_under_way_than_the_breaker_lets_pass(upstream: Upstream, tmp_path: Path) -> None:
    upstream.hangs()
    with (
        gateway_running(upstream.port, tmp_path, one_request_at_once) as gateway,
        socket.create_connection(address_of(gateway.address)) as first,
    ):
        first.sendall(f"GET {PATH} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        wait_for(lambda: upstream.requests or None)
        reply = ask(gateway.url, "GET", PATH)
        assert (reply.status, reply.json()["error"]) == (503, "unavailable")
        assert reply.header("retry-after") == "1"
        assert len(upstream.requests) == 1


def address_of(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port)
