"""How all workers are replaced, and a server by another: no caller notices it."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from demo.ports import free_ports
from demo.postgres import EmbeddedPostgres
from demo.readiness import wait_until
from tests.support.auth.tokens import all_signers, key_set, token_settings
from tests.support.callers.metrics import scrape
from tests.support.callers.rest import ask
from tests.support.callers.steady_stream import PATIENT, WELL, goes_on, steady_stream
from tests.support.server.deployments import Deployment
from tests.support.server.stack import EmbeddedServer, Server, Stack, server_of, stack_running

SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(
    scope="module",
    params=[(Deployment.STANDALONE, "2"), (Deployment.EMBEDDED, "1"), (Deployment.EMBEDDED, "2")],
    ids="-".join,
)
def supervised(
    request: pytest.FixtureRequest,
    shared_postgres: EmbeddedPostgres,
    one_call_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Everything, with supervised workers; a test leaves as many as it found."""
    deployment, workers = request.param
    settings = {
        "DATABASE_URL": one_call_url,
        "WORKERS": workers,
        "RATE_LIMIT_PER_SECOND": "0",
        "METRICS_PORT": str(free_ports(int(workers))[0]),
        **PATIENT,
    }
    folder = tmp_path_factory.mktemp("supervised")
    with stack_running(shared_postgres, folder, **settings, **deployment.settings) as stack:
        yield stack


def replaced(server: Server) -> int:
    return len(server.logged("worker replaced"))


def serve_metrics(server: Server) -> bool:
    """Return whether each worker, and nobody else, has the port of its metrics."""
    first = int(server.environment["METRICS_PORT"])
    ports = set(range(first, first + len(server.ports)))
    having = [listening(worker) & ports for worker in server.workers()]
    return set().union(*having) == ports and all(len(each) == 1 for each in having)


def listening(process: psutil.Process) -> set[int]:
    connections = process.net_connections("tcp")
    return {it.laddr.port for it in connections if it.status == psutil.CONN_LISTEN}


def test_nobody_notices_that_all_are_replaced(supervised: Stack) -> None:
    server, workers = supervised.server, len(supervised.server.ports)
    so_far, exited = replaced(server), server.logged("worker exited")
    with steady_stream(supervised.gateway) as outcomes:
        for times in (1, 2):
            before = server.workers()
            goes_on(outcomes)
            server.process.send_signal(signal.SIGHUP)
            after = so_far + times * workers
            assert wait_until(lambda: replaced(server) == after, 30), server.log()  # noqa: B023
            assert len(server.workers()) == workers
            assert not server.workers() & before
            assert wait_until(lambda: serve_metrics(server), 5), server.log()
        goes_on(outcomes)
    assert set(outcomes) == WELL, outcomes
    assert server.logged("worker exited") == exited
    assert scrape(int(server.environment["METRICS_PORT"]))['livecalls_selects_total{outcome="ok"}'] > 0
    assert server.logged("metrics cannot be served yet") == []


def test_one_after_the_other(supervised: Stack) -> None:
    server, workers = supervised.server, len(supervised.server.ports)
    so_far, refused, at_once = replaced(server), not_replaced(server), set()
    server.process.send_signal(signal.SIGHUP)
    while replaced(server) < so_far + workers:
        assert not_replaced(server) == refused, server.log()
        at_once.add(len(server.workers()))
        sleep(0.02)  # the new ones need the processors, too
    assert at_once == {workers, workers + 1}


def test_nobody_notices_that_a_server_with_other_settings_takes_over(
    shared_postgres: EmbeddedPostgres, one_call_url: str, tmp_path: Path
) -> None:
    settings = {
        "DATABASE_URL": one_call_url,
        "RATE_LIMIT_PER_SECOND": "0",
        **PATIENT,
        **Deployment.EMBEDDED.settings,
    }
    before, after = "https://before.example.com", "https://after.example.com"
    folder = tmp_path / "second"
    folder.mkdir()
    with ExitStack() as stack:
        first = stack.enter_context(
            stack_running(shared_postgres, tmp_path, CORS_ORIGINS=before, **settings)
        )
        with steady_stream(first.gateway) as outcomes:
            goes_on(outcomes)
            second = EmbeddedServer(folder, {**first.server.environment, "CORS_ORIGINS": after})
            stack.callback(second.stop)
            goes_on(outcomes)
            assert first.server.stop() == 0
            goes_on(outcomes)
        assert set(outcomes) == WELL, outcomes
        assert [allowed(second, origin) for origin in (before, after)] == [None, after]


def allowed(server: EmbeddedServer, origin: str) -> str | None:
    return ask(server.gateway.url, "GET", "/v1/live/calls/none", {"origin": origin}).header(
        "access-control-allow-origin"
    )


@pytest.fixture(params=Deployment)
def without_keys(request: pytest.FixtureRequest, one_call_url: str, tmp_path: Path) -> Iterator[Server]:
    """Two workers, the file of whose keys has gone since they started."""
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(*all_signers()))
    given = {**token_settings(""), "AUTH_JWKS_URL": "", "AUTH_JWKS_FILE": str(keys)}
    settings = {"DATABASE_URL": one_call_url, **given, "WORKERS": "2", **request.param.settings}
    server = server_of(tmp_path, settings)
    keys.unlink()
    yield server
    assert server.stop() == 0


def test_where_new_ones_cannot_start_the_old_go_on(without_keys: Server, tmp_path: Path) -> None:
    before = without_keys.workers()
    without_keys.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: bool(without_keys.logged("worker not replaced")), 20)
    assert "AUTH_JWKS_FILE: Path does not point to a file" in without_keys.log()
    assert wait_until(lambda: without_keys.workers() == before, 5)
    assert all(map(without_keys.serves, without_keys.ports))
    (tmp_path / "keys.json").write_bytes(key_set(*all_signers()))
    without_keys.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: replaced(without_keys) == 2, 30), without_keys.log()
    assert len(without_keys.logged("worker not replaced")) == 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(
    scope="module", params=[(Deployment.STANDALONE, "2"), (Deployment.EMBEDDED, "1")], ids="-".join
)
def with_files(
    request: pytest.FixtureRequest, shared_postgres: EmbeddedPostgres, one_call_url: str, folder: Path
) -> Iterator[Stack]:
    """Everything, with the keys and the URL of the database in files."""
    (folder / "keys.json").write_bytes(key_set(*all_signers()))
    (folder / "database_url").write_text(one_call_url)
    deployment, workers = request.param
    settings = {
        **token_settings(""),
        "AUTH_JWKS_FILE": str(folder / "keys.json"),
        "DATABASE_URL": "",
        "DATABASE_URL_FILE": str(folder / "database_url"),
        "WORKERS": workers,
        "RATE_LIMIT_PER_SECOND": "0",
        "METRICS_PORT": str(free_ports(int(workers))[0]),
        **PATIENT,
    }
    with stack_running(shared_postgres, folder, **settings, **deployment.settings) as stack:
        yield stack


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("keys.json", "", "keys cannot be read"),
        ("database_url", "postgresql://127.0.0.1:1/calls", "the calls cannot be read"),
    ],
    ids=["no-keys", "another-database"],
)
def test_none_takes_over_that_could_answer_nobody(
    with_files: Stack, folder: Path, file: str, content: str, said: str
) -> None:
    server, before = with_files.server, with_files.server.workers()
    after, refused = replaced(server) + len(before), not_replaced(server)
    good = (folder / file).read_text()
    # It takes half a minute until a new one is given up, and no less if callers take the processors.
    with steady_stream(with_files.gateway, all_signers()[0].token(), pause=0.2) as outcomes:
        goes_on(outcomes)
        (folder / file).write_text(content)
        server.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: bool(server.logged(said)), 30), server.log()
        goes_on(outcomes)
        assert before <= server.workers()
        (folder / file).write_text(good)
        # One that waits for keys may take over now; one that has read another URL never does.
        assert wait_until(lambda: replaced(server) == after or not_replaced(server) > refused, 60), (
            server.log()
        )
        if replaced(server) < after:
            server.process.send_signal(signal.SIGHUP)
            assert wait_until(lambda: replaced(server) == after, 60), server.log()
        goes_on(outcomes)
    assert set(outcomes) == WELL, outcomes
    assert not server.workers() & before


def not_replaced(server: Server) -> int:
    return len(server.logged("worker not replaced"))


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_who_watches_its_health_is_told_of_the_end(supervised: Stack, number: signal.Signals) -> None:
    server = supervised.server
    after = replaced(server) + len(server.ports)
    with grpc.insecure_channel(supervised.grpc_addresses[0]) as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        told = [next(watched).status]
        server.process.send_signal(number)
        told.append(next(watched).status)
        with pytest.raises(grpc.RpcError) as over:
            next(watched)
    assert told == [SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]
    assert over.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    if number is signal.SIGTERM:
        assert server.wait() == 0
        server.start()
    else:
        assert wait_until(lambda: replaced(server) == after, 30), server.log()


def test_all_end_in_time_while_they_are_replaced(supervised: Stack) -> None:
    server, workers = supervised.server, len(supervised.server.ports)
    server.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: len(server.workers()) == workers + 1, 10)
    processes = server.workers()
    began = monotonic()
    assert server.stop() == 0
    assert monotonic() - began < 4
    assert not any(map(runs, processes))
    server.start()


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
