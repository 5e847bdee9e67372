"""A gateway in front of two servers, as with two workers, or two addresses of GRPC_HOST."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from tests.support.callers.rest import Reply, ask
from tests.support.envoy.breaking_off import breaking_off
from tests.support.envoy.envoy_configuration import EnvoyConfiguration
from tests.support.envoy.gateway import Edit, Gateway, gateway_running, wait_for
from tests.support.stand_ins.upstream import Upstream, upstream_running

PATH = "/v1/live/calls/any"
EJECTIONS = "cluster.livecalls.outlier_detection.ejections_enforced_total"
RETRIES = "cluster.livecalls.upstream_rq_retry"
HEALTHY = "cluster.livecalls.membership_healthy"


@pytest.fixture
def one() -> Iterator[Upstream]:
    with upstream_running() as upstream:
        yield upstream


@pytest.fixture
def other() -> Iterator[Upstream]:
    with upstream_running() as upstream:
        yield upstream


@pytest.fixture
def of_both(
    one: Upstream, other: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("of-both")
    with gateway_running(one.port, folder, lambda it: it.add_server(other.port)) as running:
        yield running


def unchecked_server(port: int) -> Edit:
    """Add a server on a port, and check no server's health."""

    def edit(configuration: EnvoyConfiguration) -> None:
        configuration.add_server(port)
        del configuration.cluster["health_checks"]

    return edit


def statuses(gateway: Gateway, number: int = 40) -> set[int]:
    return {ask(gateway.url, "GET", PATH).status for _ in range(number)}


def asked_together(gateway: Gateway, number: int = 20) -> list[Reply]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda _: ask(gateway.url, "GET", PATH), range(number)))


def spared(server: Upstream, gateway: Gateway) -> bool:
    """Return whether none of many requests reaches a server; all of them must succeed."""
    server.requests.clear()
    assert statuses(gateway) == {404}
    return not server.requests


def test_both_are_asked(one: Upstream, other: Upstream, of_both: Gateway) -> None:
    assert statuses(of_both) == {404}
    assert one.requests
    assert other.requests


def test_nobody_notices_that_one_has_ended_or_comes_back(other: Upstream, of_both: Gateway) -> None:
    assert statuses(of_both) == {404}
    other.stop()
    assert statuses(of_both, 200) == {404}
    assert of_both.counter(RETRIES) > 0
    other.start()
    wait_for(lambda: None if spared(other, of_both) else True)


def test_one_that_cannot_be_connected_to_is_put_aside(other: Upstream, of_both: Gateway) -> None:
    other.stop()
    wait_for(lambda: None if statuses(of_both, 10) - {404} else of_both.counter(EJECTIONS) or None)


def test_one_that_says_it_does_not_serve_is_avoided(
    one: Upstream, other: Upstream, of_both: Gateway
) -> None:
    other.says_it_serves(serves=False)
    wait_for(lambda: of_both.counter(HEALTHY) == 1 or None)
    assert ask(of_both.url, "GET", "/readyz").status == 200
    wait_for(lambda: True if spared(other, of_both) else None)
    other.says_it_serves()
    wait_for(lambda: None if spared(other, of_both) else True)


def test_where_none_says_it_serves_all_are_asked(
    one: Upstream, other: Upstream, of_both: Gateway
) -> None:
    one.says_it_serves(serves=False)
    other.says_it_serves(serves=False)
    wait_for(lambda: of_both.counter(HEALTHY) == 0 or None)
    assert ask(of_both.url, "GET", "/readyz").status == 503
    assert statuses(of_both) == {404}


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL])
def test_none_is_put_aside_for_what_it_answers(
    code: grpc.StatusCode, one: Upstream, other: Upstream, of_both: Gateway
) -> None:
    one.fails(code, "So it is.")
    other.fails(code, "So it is.")
    assert len(statuses(of_both)) == 1
    assert of_both.counter(EJECTIONS) == 0
    assert of_both.counter(RETRIES) == 0


def test_none_is_put_aside_for_time_outs_and_no_other_asked(
    one: Upstream, other: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one.hangs()
    other.hangs()
    folder = tmp_path_factory.mktemp("time-outs")
    with gateway_running(
        one.port, folder, lambda it: it.add_server(other.port), REST_TIMEOUT_MS="200"
    ) as gateway:
        assert {reply.status for reply in asked_together(gateway)} == {504}
        assert gateway.counter(EJECTIONS) == 0
        assert gateway.counter(RETRIES) == 0


def test_what_a_server_answers_as_it_ends_is_asked_of_no_other(
    one: Upstream, other: Upstream, of_both: Gateway
) -> None:
    one.hangs()
    other.hangs()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, of_both.url, "GET", PATH)
        begun = wait_for(lambda: next((it for it in (one, other) if it.requests), None))
        begun.stop()
        assert asked.result(10).status == 503
    assert len(one.requests) + len(other.requests) == 1


def test_what_a_server_had_begun_when_it_died_is_asked_of_another(one: Upstream, tmp_path: Path) -> None:
    with breaking_off() as port, gateway_running(one.port, tmp_path, unchecked_server(port)) as gateway:
        assert statuses(gateway) == {404}
        assert gateway.counter(RETRIES) > 0


def test_all_that_a_server_had_under_way_when_it_died_is_asked_of_another(
    one: Upstream, tmp_path: Path
) -> None:
    under_way = "cluster.livecalls.upstream_rq_active"
    with (
        socket.create_server(("127.0.0.1", 0)) as dying,
        gateway_running(one.port, tmp_path, unchecked_server(dying.getsockname()[1])) as gateway,
        ThreadPoolExecutor(60) as pool,
    ):
        asked = [pool.submit(ask, gateway.url, "GET", PATH) for _ in range(60)]
        connection, _ = dying.accept()
        with connection:
            wait_for(lambda: len(one.requests) + gateway.counter(under_way) == 60 or None)
            dying.close()
        assert {each.result(20).status for each in asked} == {404}
        assert gateway.counter(RETRIES) > 20
