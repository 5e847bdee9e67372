"""Envoy's own statistics, and what else of its admin page can be reached by their port: nothing."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.ports import free_ports
from gateway.config import GatewaySettings
from gateway.render import render
from tests.support.callers.rest import Reply, ask, connected
from tests.support.envoy.envoy_configuration import EnvoyConfiguration
from tests.support.envoy.forwarding import gateway_forwarding
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.stand_ins.upstream import Upstream

PAGE = "/stats/prometheus"
RUN: dict[str, Callable[..., AbstractContextManager[Gateway]]] = {
    "standalone": gateway_running,
    "embedded": gateway_forwarding,
}


@pytest.fixture(scope="module", params=RUN)
def measured(
    request: pytest.FixtureRequest, running_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, str]]:
    """A gateway of each kind, and the URL of its statistics."""
    admin, stats = free_ports(2)
    folder = tmp_path_factory.mktemp("measured")
    ports = {"ADMIN_PORT": str(admin), "STATS_PORT": str(stats)}
    with RUN[request.param](running_upstream.port, folder, **ports) as gateway:
        yield gateway, f"http://127.0.0.1:{stats}"


def unlimited(url: str, verb: str, path: str) -> Reply:
    """Ask until the rate limit allows it."""
    while (reply := ask(url, verb, path)).status == 429:
        pass
    return reply


def numbers(url: str, name: str) -> dict[frozenset[tuple[str, str]], float]:
    """Read the samples of a name, by their labels."""
    page = unlimited(url, "GET", PAGE)
    assert page.status == 200
    assert str(page.header("content-type")).startswith("text/plain")
    samples = re.findall(rf"^{name}\{{(.*)\}} (\S+)$", page.body.decode(), re.MULTILINE)
    return {frozenset(re.findall(r'(\w+)="([^"]*)"', labels)): float(it) for labels, it in samples}


def test_calls_are_counted_by_method_and_code_whichever_way_they_come(
    measured: tuple[Gateway, str], upstream: Upstream
) -> None:
    gateway, url = measured
    upstream.fails(grpc.StatusCode.PERMISSION_DENIED, "So it is.")
    of_the_call = {
        ("envoy_cluster_name", "livecalls"),
        ("grpc_service", "livecalls.v1.LiveCalls"),
        ("grpc_method", "GetCall"),
    }
    denied = frozenset({*of_the_call, ("grpc_code", "7")})
    before = numbers(url, "envoy_cluster_grpc").get(denied, 0)
    assert ask(gateway.url, "GET", "/v1/live/calls/any").status == 403
    with grpc.insecure_channel(gateway.address) as channel, pytest.raises(grpc.RpcError):
        LiveCallsStub(channel).GetCall(pb.GetCallRequest(id="any"))
    assert numbers(url, "envoy_cluster_grpc")[denied] == before + 2
    assert numbers(url, "envoy_cluster_grpc_failure")[frozenset(of_the_call)] >= 2


@pytest.mark.usefixtures("upstream")
def test_callers_add_no_labels(measured: tuple[Gateway, str]) -> None:
    gateway, url = measured
    with grpc.insecure_channel(gateway.address) as channel:
        for path in ("/livecalls.v1.LiveCalls/Invented", "/invented.Service/Method"):
            send: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
            with pytest.raises(grpc.RpcError):
                send(b"")
    ask(gateway.url, "INVENTED", "/invented")
    assert b"nvented" not in unlimited(url, "GET", PAGE).body


def test_it_is_known_whether_envoy_is_ready(measured: tuple[Gateway, str]) -> None:
    assert unlimited(measured[1], "GET", "/ready").body == b"LIVE\n"


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/stats", "/stats/prometheus/", "/config_dump", "/certs", "/quitquitquit"),
        *(f"{PAGE}?usedonly", f"{PAGE}?", "/ready?x", "/ready/../stats", "/ready%2f..%2fstats"),
        *("//ready/../stats", "/stats/../config_dump", f"http://a{PAGE}?filter=a", "/READY"),
    ],
)
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_nothing_else_is_there(measured: tuple[Gateway, str], verb: str, path: str) -> None:
    assert unlimited(measured[1], verb, path).status == 404


@pytest.mark.parametrize("path", [PAGE, "/ready"])
@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_they_are_only_read(measured: tuple[Gateway, str], verb: str, path: str) -> None:
    reply = unlimited(measured[1], verb, path)
    assert (reply.status, reply.header("allow")) == (405, "GET")


def test_they_are_not_read_without_end(measured: tuple[Gateway, str]) -> None:
    assert any(ask(measured[1], "GET", PAGE).status == 429 for _ in range(500))


def test_a_flood_of_connections_takes_no_files_without_end(measured: tuple[Gateway, str]) -> None:
    address = measured[1].removeprefix("http://")
    with ExitStack() as stack:
        eight = [stack.enter_context(connected(address)) for _ in range(8)]
        for connection in eight:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            assert connection.recv(8) == b"HTTP/1.1"
        with connected(address) as surplus:
            assert surplus.recv(1) == b""


def test_they_can_be_read_though_there_are_too_many_connections(
    running_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    admin, stats = free_ports(2)
    ports = {"ADMIN_PORT": str(admin), "STATS_PORT": str(stats), "MAX_CONNECTIONS": "1"}
    with (
        gateway_running(running_upstream.port, tmp_path_factory.mktemp("full"), **ports) as gateway,
        connected(gateway.address) as first,
    ):
        first.sendall(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
        assert first.recv(12) == b"HTTP/1.1 200"
        with connected(gateway.address) as second:
            assert second.recv(1) == b""
        assert unlimited(f"http://127.0.0.1:{stats}", "GET", PAGE).status == 200


def test_there_are_none_unless_they_are_asked_for() -> None:
    resources = EnvoyConfiguration(render(GatewaySettings(), {})).tree["static_resources"]
    assert [it["name"] for it in resources["listeners"]] == ["rest"]
    assert [it["name"] for it in resources["clusters"]] == ["livecalls"]
