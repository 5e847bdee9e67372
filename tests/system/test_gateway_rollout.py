"""How a gateway ends: requests under way succeed, and new ones go to another."""

import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep

import psutil
import pytest

from demo.postgres import EmbeddedPostgres
from demo.readiness import wait_until
from tests.support.callers.rest import ask
from tests.support.callers.steady_stream import PATIENT, WELL, goes_on, steady_stream
from tests.support.data.calls import CALL_ID
from tests.support.database.trouble import locked
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.envoy.switchboard import Switchboard
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Server, Stack

SETTINGS = {"RATE_LIMIT_PER_SECOND": "0", "SHUTDOWN_GRACE_MS": "20000", **PATIENT}
# As on a machine with too little of a processor, and longer than a response usually takes.
STILL_SECONDS = 1.5
STOPPED = "listener_manager.listener_stopped"
ASKED = "http.rest.downstream_rq_active"


@pytest.fixture(scope="module")
def server(one_call_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"AUTH": "off", "DATABASE_URL": one_call_url, **SETTINGS}
    server = Server(tmp_path_factory.mktemp("server"), settings)
    yield server
    server.stop()


@pytest.fixture
def stack(shared_postgres: EmbeddedPostgres, server: Server, tmp_path: Path) -> Iterator[Stack]:
    """The server behind a gateway of the test's own."""
    with gateway_running(server.port, tmp_path, **SETTINGS) as gateway:
        yield Stack(shared_postgres, server, gateway)


@contextmanager
def another_gateway(stack: Stack, folder: Path) -> Iterator[Gateway]:
    folder.mkdir()
    with gateway_running(stack.server.port, folder, **SETTINGS) as gateway:
        yield gateway


def told_to_end(gateway: Gateway, number: signal.Signals = signal.SIGTERM) -> "subprocess.Popen[bytes]":
    assert gateway.process
    gateway.process.send_signal(number)
    return gateway.process


def test_nobody_notices_that_gateways_are_replaced(stack: Stack, tmp_path: Path) -> None:
    switchboard = Switchboard(stack.gateway.address)
    with ExitStack() as gateways, switchboard.running(), steady_stream(switchboard) as outcomes:
        goes_on(outcomes)
        before = stack.gateway
        for name in ("second", "third"):
            after = gateways.enter_context(another_gateway(stack, tmp_path / name))
            switchboard.target = after.address
            assert told_to_end(before).wait(30) == 0
            goes_on(outcomes)
            before = after
    assert set(outcomes) == WELL, outcomes


@pytest.fixture(params=Deployment)
def gateway(request: pytest.FixtureRequest, one_call_url: str, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway without a supervisor, before the stack's server or with an embedded one."""
    if request.param is Deployment.STANDALONE:
        yield request.getfixturevalue("stack").gateway
        return
    settings = {"EMBEDDED": "1", "AUTH": "off", "DATABASE_URL": one_call_url, **SETTINGS}
    with gateway_running(1, tmp_path, **settings) as gateway:
        yield gateway


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_under_way_is_answered(
    gateway: Gateway, one_call_url: str, number: signal.Signals
) -> None:
    path = f"/v1/live/calls/{CALL_ID}"
    with ThreadPoolExecutor(2) as pool:
        with locked(one_call_url):
            asked = [pool.submit(ask, gateway.url, "GET", path) for _ in range(2)]
            assert wait_until(lambda: gateway.counter(ASKED) == 2, 30)
            process = told_to_end(gateway, number)
            assert wait_until(lambda: gateway.counter(STOPPED) == 1, 30)
        assert [it.result(30).status for it in asked] == [200, 200]
    assert process.wait(30) == 0


def test_what_is_under_way_is_answered_though_envoy_stands_still_for_a_while(
    stack: Stack, one_call_url: str
) -> None:
    assert stack.gateway.process
    (envoy,) = psutil.Process(stack.gateway.process.pid).children()
    with ThreadPoolExecutor(1) as pool:
        with locked(one_call_url):
            asked = pool.submit(stack.get)
            assert wait_until(lambda: stack.gateway.counter(ASKED) == 1, 30)
            envoy.suspend()
            process = told_to_end(stack.gateway)
            sleep(STILL_SECONDS)
            envoy.resume()
            assert wait_until(lambda: stack.gateway.counter(STOPPED) == 1, 30)
        assert asked.result(30).status == 200
    assert process.wait(30) == 0


def test_signals_that_end_no_envoy_cut_nothing_off(stack: Stack, one_call_url: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        with locked(one_call_url):
            asked = pool.submit(stack.get)
            assert wait_until(lambda: stack.gateway.counter(ASKED) == 1, 30)
            told_to_end(stack.gateway, signal.SIGUSR1)
            told_to_end(stack.gateway, signal.SIGHUP)
            assert wait_until(lambda: "caught and eating SIGHUP" in stack.gateway.log(), 30)
        assert asked.result(30).status == 200
    assert stack.get().status == 200


def test_told_twice_it_ends_at_once(stack: Stack, one_call_url: str) -> None:
    with ThreadPoolExecutor(1) as pool, locked(one_call_url):
        asked = pool.submit(stack.get)
        assert wait_until(lambda: stack.gateway.counter(ASKED) == 1, 30)
        process = told_to_end(stack.gateway)
        assert wait_until(lambda: stack.gateway.counter(STOPPED) == 1, 30)
        assert not asked.done()
        process.terminate()
        assert process.wait(30) == 0
        assert asked.exception(30)


def test_envoy_does_not_outlive_who_runs_it(stack: Stack) -> None:
    assert stack.gateway.process
    stack.gateway.process.kill()
    stack.gateway.process.wait(30)
    assert wait_until(lambda: not answers(stack.gateway), 30)


def answers(gateway: Gateway) -> bool:
    try:
        return gateway.counter(ASKED) >= 0
    except OSError:
        return False
