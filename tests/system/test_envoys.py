"""Envoys with the embedded server: how they are supervised, and the callers of one that ends."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import grpc
import psutil
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.ports import free_port, free_ports, is_free
from demo.postgres import EmbeddedPostgres
from demo.readiness import wait_until
from server.supervision.child import Child
from server.supervision.envoys import Envoy, Resources
from tests.support.callers.rest import ask
from tests.support.callers.steady_stream import CALLERS, PATIENT, WELL, goes_on, steady_stream
from tests.support.data.calls import CALL_ID
from tests.support.database.trouble import locked
from tests.support.machine import no_libpython, stuck
from tests.support.machine.commands import command, environment, run_process
from tests.support.server.deployments import Deployment
from tests.support.server.serve import without_database
from tests.support.server.stack import EmbeddedServer, Stack, is_killed_and_comes_back, stack_running

CUT_OFF = re.compile(
    r"^(ReadError|RemoteProtocolError|ConnectError|WriteError|StatusCode.UNAVAILABLE"
    r"|RemoteDisconnected|ConnectionResetError|ConnectionRefusedError|BrokenPipeError)"
)


@pytest.fixture(scope="module")
def two(
    shared_postgres: EmbeddedPostgres, one_call_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Everything, in two Envoys; a test leaves as many as it found."""
    folder = tmp_path_factory.mktemp("two-envoys")
    settings = {"DATABASE_URL": one_call_url, "WORKERS": "2", "RATE_LIMIT_PER_SECOND": "0"}
    settings = {**settings, **PATIENT, "SHUTDOWN_GRACE_MS": "6000", **Deployment.EMBEDDED.settings}
    with stack_running(shared_postgres, folder, **settings) as stack:
        yield stack


def envoys(folder: Path, **settings: str) -> EmbeddedServer:
    return EmbeddedServer(folder, {**without_database(), **Deployment.EMBEDDED.settings, **settings})


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_who_is_connected_to_a_killed_one_is_cut_off_once_and_answered_as_he_asks_again(
    two: Stack,
) -> None:
    ports = [*two.server.ports] * 2
    with steady_stream(two.gateway) as outcomes:
        for port in ports:
            goes_on(outcomes)
            is_killed_and_comes_back(two.server, port)
    cut_off = Counter({what: number for what, number in outcomes.items() if what not in WELL})
    assert all(CUT_OFF.search(str(what)) for what in cut_off), outcomes
    # At most once for each caller and each death.
    assert cut_off.total() <= CALLERS * len(ports), outcomes


def test_requests_under_way_are_answered_by_those_that_end(two: Stack, one_call_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        with locked(one_call_url):
            by_rest = [pool.submit(two.get) for _ in range(2)]
            by_grpc = [pool.submit(call_at, two.gateway.address) for _ in range(2)]
            assert wait_until(lambda: sum(map(two.server.connections, two.server.ports)) == 4, 5)
            two.server.process.terminate()
            # They stop listening a second after the signal.
            assert wait_until(lambda: is_free("127.0.0.1", two.server.port), 5)
        assert [it.result(10).status for it in by_rest] == [200, 200]
        assert [it.result(10).id for it in by_grpc] == [str(CALL_ID)] * 2
    assert two.server.wait() == 0
    two.server.start()


def call_at(address: str) -> pb.Call:
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(address, options) as channel:
        return LiveCallsStub(channel).GetCall(pb.GetCallRequest(id=str(CALL_ID)))


@pytest.mark.parametrize("what", ["loop", "interpreter"])
def test_one_that_is_stuck_ends_by_itself_and_is_started_again(tmp_path: Path, what: str) -> None:
    file = tmp_path / "get-stuck"
    server = envoys(
        tmp_path, PYTHONPATH=str(stuck.FOLDER), GET_STUCK_BY=str(file), WATCHDOG_TIMEOUT_MS="1500"
    )
    try:
        was = server.worker(server.ports[0])
        file.write_text(what)
        assert wait_until(lambda: bool(server.logged("worker exited")), 10), server.log()
        assert "Timeout (0:00:01.500000)!" in server.log()
        assert wait_until(lambda: server.serves(server.ports[0]), 10)
        assert server.worker(server.ports[0]) not in (None, was)
        (ended,) = server.logged("worker exited")
        assert (ended["admin_port"], ended["exit_code"]) == (server.ports[0], 1)
    finally:
        assert server.stop() == 0


def test_those_that_take_too_much_memory_are_replaced_one_after_the_other(
    tmp_path: Path, database_url: str
) -> None:
    server = envoys(tmp_path, DATABASE_URL=database_url, WORKERS="2", MAX_RSS_MB="1")
    at_once = set()

    def both_are_replaced() -> bool:
        at_once.add(len(server.workers()))
        replaced = server.logged("worker replaced")
        return {it["admin_port"] for it in replaced} >= set(server.ports)

    try:
        assert wait_until(both_are_replaced, 30), server.log()
        too_large = server.logged("worker over its memory limit")[0]
        assert (too_large["level"], too_large["admin_port"]) == ("ERROR", server.ports[0])
        assert too_large["rss_bytes"] > 1 << 20
        assert max(at_once) == 3
        assert server.logged("worker exited") == []
    finally:
        assert server.stop() == 0


def test_each_knows_how_many_an_option_asks_for(tmp_path: Path) -> None:
    ports = {"REST_PORT": str(free_port()), "ADMIN_PORT": str(free_ports(4)[0])}
    with (tmp_path / "server.log").open("wb") as log:
        serve = subprocess.Popen(
            command("serve", "--embedded", "--workers", "2"),
            env=environment(**without_database(), **ports),
            stderr=log,
        )

    def read() -> list[str | None]:
        return [it.environ().get("WORKERS") for it in psutil.Process(serve.pid).children()]

    try:
        assert wait_until(lambda: read() == ["2", "2"], 60), read()
    finally:
        serve.terminate()
        assert serve.wait(20) == 0


async def test_one_that_never_serves_is_ended_and_another_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "server.workers")
    ports = free_ports(2)
    waiting = tmp_path / "get-stuck"
    waiting.write_text("start")
    settings = {
        **without_database(),
        "REST_PORT": str(free_port()),
        "WATCHDOG_TIMEOUT_MS": "60000",
        "PYTHONPATH": str(stuck.FOLDER),
        "GET_STUCK_BY": str(waiting),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    envoy = Envoy(Resources((ports[0], ports[1])), grace=0.1, max_bytes=1 << 30, ready_within=0.5)
    child = Child(envoy, lambda _: None, start_within=4)
    running = asyncio.create_task(child.run())
    try:
        async with asyncio.timeout(60):
            await child.served.wait()
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert not waiting.exists()
    late = [it for it in caplog.records if it.message == "worker not ready in time"]
    assert (late[0].admin_port, late[0].timeout_s) == (ports[0], 4.5)  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_of_them_in_time(tmp_path: Path, number: signal.Signals) -> None:
    server = envoys(tmp_path, WORKERS="2")
    processes = [server.process, *server.process.children(recursive=True)]
    assert len(processes) == 3
    began = monotonic()
    server.process.send_signal(number)
    assert server.wait() == 0
    assert monotonic() - began < 2.5
    assert not any(map(runs, processes))


def test_who_is_killed_takes_them_along(tmp_path: Path) -> None:
    server = envoys(tmp_path, WORKERS="2")
    processes = [server.process, *server.process.children(recursive=True)]
    server.process.kill()
    assert server.wait() == -signal.SIGKILL
    assert wait_until(lambda: not any(map(runs, processes)), 5)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("name", ["REST_PORT", "ADMIN_PORT"])
def test_a_taken_port_is_one_clear_line(name: str, workers: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ended = served(**{name: str(port), "WORKERS": workers})
    said = f"Error: {name}: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert (ended.returncode, ended.stdout, errors_of(ended)) == (1, b"", [said])


def test_the_envoy_of_another_is_not_taken_for_its_own(tmp_path: Path) -> None:
    server = envoys(tmp_path)
    try:
        taken = str(server.ports[0])
        assert served(ADMIN_PORT=taken).returncode == 1
        for seconds in (0.2, 0.4, 0.6):
            settings = {**without_database(), "REST_PORT": str(free_port()), "ADMIN_PORT": taken}
            other = subprocess.Popen(command("serve", "--embedded"), env=environment(**settings))
            sleep(seconds)
            other.terminate()
            other.wait(10)
        assert ask(server.gateway.url, "GET", "/elsewhere").status == 404
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"AUTH": "on"}, "Error: It is not set who may call: "),
        ({"AUTH_ISSUER": "me"}, "Error: AUTH_ISSUER needs AUTH_AUDIENCE; "),
        ({"DATABASE_URL": ""}, "Error: DATABASE_URL is not set"),
        ({"DATABASE_URL": "mysql://a/b"}, "Error: DATABASE_URL"),
        ({"REST_TIMEOUT_MS": "0"}, "Error: REST_TIMEOUT_MS: "),
        ({"WATCHDOG_TIMEOUT_MS": "0"}, "Error: WATCHDOG_TIMEOUT_MS: "),
        (
            {"GRPC_TLS_CERTIFICATE_FILE": "/a.pem", "GRPC_TLS_KEY_FILE": "/a.key"},
            "Error: GRPC_TLS_… is for a standalone server: embedded, set REST_TLS_…",
        ),
        ({"REST_TLS_KEY_FILE": "/no.key"}, "Error: REST_TLS_KEY_FILE: cannot read /no.key"),
    ],
    ids=repr,
)
def test_a_wrong_setting_is_one_clear_line(settings: dict[str, str], said: str) -> None:
    ended = served(WORKERS="2", **settings)
    assert ended.returncode == 1, ended.stderr
    (line,) = errors_of(ended)
    assert line.startswith(said)
    assert b"Traceback" not in ended.stderr
    assert b'"worker exited"' not in ended.stderr


def test_python_that_is_no_shared_library_is_one_clear_line() -> None:
    ended = served(PYTHONPATH=str(no_libpython.FOLDER), WORKERS="2")
    library = "libpython{}.{}".format(*sys.version_info)
    said = f"Error: Python is missing as a shared library, which Envoy needs (on Debian: {library})\n"
    assert (ended.returncode, ended.stdout, errors_of(ended)) == (1, b"", [said])
    assert b"Traceback" not in ended.stderr


def served(**settings: str) -> Any:
    ports = {"REST_PORT": str(free_port()), "ADMIN_PORT": str(free_port())}
    given: Any = {**without_database(), **ports, **settings}
    return run_process("serve", "--embedded", **given)


def errors_of(ended: Any) -> list[str]:
    lines = ended.stderr.decode().splitlines(keepends=True)
    return [line for line in lines if line.startswith("Error: ")]
