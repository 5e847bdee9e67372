"""How several workers are started, supervised and ended by their supervisor."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
import pytest

from demo.ports import free_ports, is_free
from demo.readiness import wait_until
from tests.support.machine.commands import run_process
from tests.support.server.serve import without_database
from tests.support.server.stack import Server

SMALL_BYTES = 60 * 1024 * 1024


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Two workers, ended if the test has not done so."""
    server = Server(tmp_path, {**without_database(), "WORKERS": "2", "SHUTDOWN_GRACE_MS": "500"})
    yield server
    server.stop()


def all_of(server: Server) -> list[psutil.Process]:
    return [server.process, *server.process.children(recursive=True)]


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def logged(server: Server, message: str) -> list[dict[str, Any]]:
    # gRPC's core logs in its own format that a port is taken.
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"] == message]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_of_them_in_time(server: Server, number: signal.Signals) -> None:
    processes = all_of(server)
    assert len(processes) == 3
    began = monotonic()
    server.process.send_signal(number)
    assert server.wait() == 0
    assert monotonic() - began < 1.5
    assert not any(map(runs, processes))
    assert len(logged(server, "shutting down")) == 2


def test_a_worker_that_does_not_end_is_killed(server: Server) -> None:
    processes = all_of(server)
    processes[1].suspend()
    began = monotonic()
    server.process.terminate()
    assert server.wait() == 0
    assert monotonic() - began < 4
    assert not any(map(runs, processes))


def test_who_is_killed_takes_them_along(server: Server) -> None:
    processes = all_of(server)
    server.process.kill()
    assert server.wait() == -signal.SIGKILL
    assert wait_until(lambda: not any(map(runs, processes)), 5)
    assert len(logged(server, "shutting down")) == 2


def test_who_keeps_them_stays_small(server: Server) -> None:
    assert server.process.memory_info().rss < SMALL_BYTES
    libraries = {Path(library.path).name for library in server.process.memory_maps()}
    assert not [name for name in libraries if name.startswith(("cygrpc", "_psycopg", "pq."))]


def test_one_that_dies_again_and_again_is_started_with_growing_pauses(server: Server) -> None:
    first, port = server.ports
    worker = server.worker(port)
    assert worker
    worker.kill()
    worker.wait(10)
    # Its port is taken, until it has failed twice.
    with closing(taken(port)):
        assert wait_until(lambda: len(logged(server, "worker exited")) >= 3, 20), server.log()
    assert wait_until(lambda: server.serves(port), 20)
    ends = logged(server, "worker exited")[:3]
    assert [(end["port"], end["exit_code"], end["restart_in_s"]) for end in ends] == [
        (port, -signal.SIGKILL, 0),
        (port, 1, 0.5),
        (port, 1, 1),
    ]
    assert server.serves(first)
    assert server.stop() == 0


def test_others_go_on_if_there_is_no_room_to_start_one_again(server: Server) -> None:
    first, port = server.ports
    worker = server.worker(port)
    assert worker
    limits = server.process.rlimit(psutil.RLIMIT_NOFILE)
    server.process.rlimit(psutil.RLIMIT_NOFILE, (server.process.num_fds(), limits[1]))
    worker.kill()
    assert wait_until(lambda: len(logged(server, "worker cannot be started yet")) >= 2, 20), server.log()
    assert server.serves(first)
    server.process.rlimit(psutil.RLIMIT_NOFILE, limits)
    assert wait_until(lambda: server.serves(port), 20)
    assert server.stop() == 0


def taken(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"AUTH": "on"}, "Error: It is not set who may call: "),
        ({"DATABASE_URL": ""}, "Error: DATABASE_URL is not set"),
        ({"GRPC_TLS_CERTIFICATE_FILE": "/no.pem", "GRPC_TLS_KEY_FILE": "/no.key"}, "Error: GRPC_TLS_"),
    ],
    ids=["AUTH", "DATABASE_URL", "certificates"],
)
def test_what_is_wrong_for_all_ends_it_at_once_and_is_said_once(
    settings: dict[str, str], line: str
) -> None:
    ports = free_ports(2)
    given: Any = {**without_database(), "GRPC_PORT": str(ports[0]), **settings}
    ended = run_process("serve", "--workers", "2", **given)
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert line in ended.stderr.decode()
    assert ended.stderr.count(b"Error: ") == 1
    assert all_free(ports)


@pytest.mark.parametrize("which", [0, 1])
def test_a_taken_port_ends_it_at_once(which: int) -> None:
    ports = free_ports(2)
    with closing(taken(ports[which])):
        given: Any = {**without_database(), "GRPC_PORT": str(ports[0])}
        ended = run_process("serve", "--workers", "2", **given)
    assert ended.returncode == 1
    assert f"Error: Cannot listen on 127.0.0.1:{ports[which]}: ".encode() in ended.stderr
    assert b'"worker exited"' not in ended.stderr
    assert all_free(ports)


def all_free(ports: range) -> bool:
    """Return whether nothing is left that listens."""
    return all(is_free("127.0.0.1", port) for port in ports)


@pytest.mark.parametrize(
    ("port", "line"),
    [
        ("0", "Error: GRPC_PORT must not be 0 with several WORKERS: name the port of the first\n"),
        ("65535", "Error: GRPC_PORT and WORKERS go beyond port 65535: lower one of them\n"),
    ],
)
def test_each_needs_a_port(port: str, line: str) -> None:
    ended = run_process("serve", "--workers", "2", AUTH="off", GRPC_PORT=port, WORKERS="1")
    assert (ended.returncode, ended.stdout, ended.stderr.decode()) == (1, b"", line)
