"""How the demo starts and ends."""

import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from demo.ports import free_port, free_ports
from demo.readiness import wait_until
from tests.support.network.certificates import Authority
from tests.support.server.demo import RunningDemo, running_demo, started_demo
from tests.support.server.deployments import Deployment


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it_within_5_seconds(
    deployment: Deployment, number: signal.Signals
) -> None:
    with running_demo(**deployment.settings) as demo:
        processes = demo.processes()
        assert len(processes) > 4
        began = time.monotonic()
        assert demo.end(number) == 0, demo.output()
        assert time.monotonic() - began < 5
    assert [process for process in processes if process.is_running()] == []


@pytest.mark.parametrize(
    ("deployment", "name"),
    [
        (Deployment.STANDALONE, "REST_PORT"),
        (Deployment.STANDALONE, "GRPC_PORT"),
        (Deployment.EMBEDDED, "REST_PORT"),
    ],
)
def test_a_taken_port_is_one_clear_line(deployment: Deployment, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"rest_port": free_port(), "grpc_port": free_port(), name.lower(): port}
        with started_demo(**ports, settings=deployment.settings) as demo:
            assert wait_until(lambda: demo.process.poll() is not None, 20)
            assert demo.output() == (
                f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use: "
                f"name another with {name}=\n"
            )
            assert demo.process.returncode == 1


def test_a_taken_port_of_a_worker_is_one_clear_line() -> None:
    first, second = free_ports(2)
    with (
        socket.create_server(("127.0.0.1", second)),
        started_demo(free_port(), first, settings={"WORKERS": "2"}) as demo,
    ):
        assert wait_until(lambda: demo.process.poll() is not None, 20)
        assert demo.output() == (
            f"Error: Cannot listen on 127.0.0.1:{second}: Address already in use: "
            "name another with GRPC_PORT=\n"
        )


def test_rest_takes_the_port_of_no_worker() -> None:
    first, second = free_ports(2)
    with started_demo(second, first, settings={"WORKERS": "2"}) as demo:
        assert wait_until(lambda: demo.process.poll() is not None, 20)
        assert demo.output() == (
            "Error: REST_PORT is the port of a worker: name another for it, or for GRPC_PORT\n"
        )


def test_a_killed_demo_takes_all_of_it_along(deployment: Deployment) -> None:
    with running_demo(**deployment.settings) as demo:
        processes = demo.processes()
        assert demo.end(signal.SIGKILL) == -signal.SIGKILL
        assert wait_until(lambda: not any(map(runs, processes)), 5)


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_certificates_of_ones_own_are_for_serve_and_gateway(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("here")
    with started_demo(free_port(), free_port(), settings=pair.settings("REST_TLS")) as demo:
        assert wait_until(lambda: demo.process.poll() is not None, 20)
        assert demo.output() == (
            "Error: The demo has certificates of its own: TLS=1 instead of REST_TLS_…\n"
        )


@pytest.mark.parametrize("deployment", [Deployment.STANDALONE], indirect=True)
def test_a_second_demo_leaves_the_data_of_the_first_alone(demo: RunningDemo) -> None:
    with started_demo(free_port(), free_port(), folder=demo.folder) as second:
        assert wait_until(lambda: second.process.poll() is not None, 20)
        assert second.process.returncode == 1
        assert second.output().startswith("Error: Another demo runs on the data in ")
        assert demo.process.poll() is None


def test_two_faces_need_two_ports() -> None:
    port = free_port()
    with started_demo(port, port) as demo:
        assert wait_until(lambda: demo.process.poll() is not None, 20)
        assert (
            demo.output()
            == "Error: REST_PORT and GRPC_PORT are the same: name another for one of them\n"
        )


def test_a_database_that_cannot_be_reached_is_one_clear_line() -> None:
    nowhere = {"DATABASE_URL": f"postgresql://user:hunter2@127.0.0.1:{free_port()}/calls"}
    with started_demo(free_port(), free_port(), settings=nowhere) as demo:
        assert wait_until(lambda: demo.process.poll() is not None, 20)
        assert demo.process.returncode == 1
        (line,) = demo.output().splitlines()
        assert line.startswith("Error: connection failed: ")
        assert "hunter2" not in line
