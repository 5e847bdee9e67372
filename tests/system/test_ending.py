"""How the demo starts and ends."""

import signal
import socket
import time

import pytest

from server.demo.readiness import free_port, wait_until
from tests.support.demo import running_demo, started_demo


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it_within_5_seconds(number: signal.Signals) -> None:
    with running_demo() as demo:
        processes = demo.processes()
        assert len(processes) > 4
        began = time.monotonic()
        assert demo.end(number) == 0, demo.output()
        assert time.monotonic() - began < 5
    assert [process for process in processes if process.is_running()] == []


@pytest.mark.parametrize("name", ["REST_PORT", "GRPC_PORT"])
def test_a_taken_port_is_one_clear_line(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"rest_port": free_port(), "grpc_port": free_port(), name.lower(): port}
        with started_demo(**ports) as demo:
            assert wait_until(lambda: demo.process.poll() is not None, 20)
            assert demo.output() == f"Error: Port {port} is taken: name another with {name}=\n"
            assert demo.process.returncode == 1
