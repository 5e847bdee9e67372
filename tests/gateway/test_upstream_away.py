from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.callers.rest import Reply, ask
from tests.support.envoy.breaking_off import breaking_off
from tests.support.envoy.gateway import Gateway, gateway_running, wait_for
from tests.support.stand_ins.upstream import Upstream, upstream_running

PATH = "/v1/live/calls/any"


@pytest.fixture
def mortal() -> Iterator[Upstream]:
    """An upstream of the test's own, to be stopped."""
    with upstream_running() as upstream:
        yield upstream


@pytest.fixture
def its_gateway(mortal: Upstream, tmp_path: Path) -> Iterator[Gateway]:
    with gateway_running(mortal.port, tmp_path) as running:
        yield running


def assert_unavailable(reply: Reply) -> None:
    assert reply.status == 503
    assert reply.json() == {
        "error": "unavailable",
        "message": "The service cannot be reached right now. Try again shortly.",
    }
    assert reply.header("retry-after") == "1"
    assert reply.header("cache-control") == "no-store"
    assert reply.header("x-request-id")


def test_it_says_so_and_heals_by_itself(mortal: Upstream, its_gateway: Gateway) -> None:
    assert ask(its_gateway.url, "GET", PATH).status == 404
    mortal.stop()
    assert_unavailable(ask(its_gateway.url, "GET", PATH))
    assert ask(its_gateway.url, "HEAD", PATH).header("retry-after") == "1"
    mortal.start()
    healed = wait_for(
        lambda: reply if (reply := ask(its_gateway.url, "GET", PATH)).status == 404 else None
    )
    assert healed.json()["message"] == "No call has this id."


def test_a_request_under_way_is_answered_when_the_server_ends(
    mortal: Upstream, its_gateway: Gateway
) -> None:
    mortal.hangs()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, its_gateway.url, "GET", PATH)
        wait_for(lambda: mortal.requests or None)
        mortal.stop()
        reply = asked.result(10)
    assert (reply.status, reply.json()["error"]) == (503, "unavailable")
    assert reply.header("retry-after") == "1"


def test_a_server_that_breaks_off_is_away(tmp_path: Path) -> None:
    with breaking_off() as port, gateway_running(port, tmp_path) as its_gateway:
        assert_unavailable(ask(its_gateway.url, "GET", PATH))
        # It may be the request that ends the server: no more than three are ended by one.
        assert its_gateway.counter("cluster.livecalls.upstream_rq_retry") == 2


def test_a_grpc_caller_gets_a_status_in_plain_words(mortal: Upstream, its_gateway: Gateway) -> None:
    mortal.stop()
    with grpc.insecure_channel(its_gateway.address) as channel, pytest.raises(grpc.RpcError) as caught:
        LiveCallsStub(channel).GetCall(pb.GetCallRequest(id="any"))
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert "{" not in str(caught.value.details())
