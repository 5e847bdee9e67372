"""Several workers behind Envoy: callers notice none of their deaths."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.postgres import EmbeddedPostgres
from demo.readiness import wait_until
from tests.support.callers.steady_stream import PATIENT, WELL, goes_on, steady_stream
from tests.support.data.calls import CALL_ID
from tests.support.database.trouble import locked, selects_under_way
from tests.support.server.demo import running_demo
from tests.support.server.stack import Stack, is_killed_and_comes_back, stack_running


@pytest.fixture(scope="module")
def two_workers(
    shared_postgres: EmbeddedPostgres, one_call_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Everything, with two workers; a test leaves as many as it found."""
    folder = tmp_path_factory.mktemp("two-workers")
    settings = {"DATABASE_URL": one_call_url, "WORKERS": "2", "RATE_LIMIT_PER_SECOND": "0", **PATIENT}
    with stack_running(shared_postgres, folder, **settings) as stack:
        yield stack


def test_each_is_asked(two_workers: Stack) -> None:
    assert {two_workers.get().status for _ in range(10)} == {200}
    for port in two_workers.server.ports:
        assert two_workers.gateway.asked(f"127.0.0.1:{port}") > 0


def test_nobody_notices_that_workers_are_killed_and_come_back(two_workers: Stack) -> None:
    with steady_stream(two_workers.gateway) as outcomes:
        for port in [*two_workers.server.ports] * 2:
            goes_on(outcomes)
            is_killed_and_comes_back(two_workers.server, port)
            is_asked_again(port, two_workers)
    assert set(outcomes) == WELL, outcomes
    assert two_workers.gateway.counter("cluster.livecalls.upstream_rq_retry") > 0


def is_asked_again(port: int, stack: Stack) -> None:
    """Wait until Envoy knows of the new worker of a port."""
    assert wait_until(lambda: stack.gateway.counter("cluster.livecalls.membership_healthy") == 2, 20)
    so_far = stack.gateway.asked(f"127.0.0.1:{port}")
    assert wait_until(lambda: stack.gateway.asked(f"127.0.0.1:{port}") > so_far + 20, 20)


async def test_requests_under_way_are_answered_by_workers_that_end(
    two_workers: Stack, one_call_url: str
) -> None:
    server = two_workers.server
    with ThreadPoolExecutor(2) as pool:
        with locked(one_call_url):
            asked = [pool.submit(call_of, port) for port in server.ports]
            await selects_under_way(one_call_url, 2)
            server.process.terminate()
            assert wait_until(lambda: not any(map(server.serves, server.ports)), 5)
        assert [it.result(10).id for it in asked] == [str(CALL_ID)] * 2
    assert server.wait() == 0
    server.start()


def call_of(port: int) -> pb.Call:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        return LiveCallsStub(channel).GetCall(pb.GetCallRequest(id=str(CALL_ID)))


def test_the_demo_runs_several() -> None:
    with running_demo(WORKERS="2") as demo:
        first, second = demo.grpc_port, demo.grpc_port + 1
        assert f"  gRPC   127.0.0.1:{first}, 127.0.0.1:{second}, and " in demo.output()
        for port in (first, second):
            # It may answer before that line of its log is written.
            assert wait_until(lambda: f"serving port={port}" in demo.output(), 10)  # noqa: B023
