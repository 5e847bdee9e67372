"""The service in its parts, each of which a test can stop: the server and all around it."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil

from demo.ports import free_port, free_ports
from demo.postgres import EmbeddedPostgres
from demo.readiness import grpc_answers, wait_until
from tests.support.callers.rest import Reply, ask
from tests.support.data.calls import PLAIN_CALL
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.server.deployments import Deployment


class Server:
    """A `python -m server serve` that can be ended and restarted, of one worker or several."""

    # The setting with the first worker's port; each other has the next one.
    port_of_worker = "GRPC_PORT"
    ports_of_worker = 1

    def __init__(self, folder: Path, settings: dict[str, str], *, waits: bool = True) -> None:
        """Start it, and wait until it serves, unless `waits` is false."""
        workers = int(settings.get("WORKERS", "1"))
        self.ports = free_ports(workers * self.ports_of_worker)[:workers]
        self.log_file = folder / "server.log"
        self.output_file = folder / "access.log"
        self._read_bytes, self._lines = 0, list[str]()
        self.environment = {**os.environ, **settings, self.port_of_worker: str(self.ports[0])}
        self.prepare()
        self.launch()
        if waits:
            self.wait_ready()

    def prepare(self) -> None:
        """Choose what else its workers need."""

    def start(self) -> None:
        """Start it and wait until it serves."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it."""
        command = [sys.executable, "-m", "server", "serve"]
        with self.log_file.open("ab") as log, self.output_file.open("ab") as output:
            self._process = subprocess.Popen(command, env=self.environment, stdout=output, stderr=log)

    def wait_ready(self) -> None:
        """Wait until it serves, which takes long on a busy machine."""
        if not wait_until(lambda: all(map(self.serves, self.ports)), 60):
            self._process.kill()
            raise AssertionError(self.log())

    @property
    def port(self) -> int:
        """Its gRPC port; that of the first worker, if each has one."""
        return self.ports[0]

    def address_of(self, port: int) -> str:
        """Return the gRPC address of a port's worker, which others may share."""
        return f"127.0.0.1:{port}"

    def connections(self, port: int) -> int:
        """Count the connections that the worker of a port has accepted."""
        answers_on = int(self.address_of(port).rpartition(":")[2])
        taken = (self.worker(port) or self.process).net_connections("tcp")
        return sum(it.laddr.port == answers_on and it.status == psutil.CONN_ESTABLISHED for it in taken)

    def serves(self, port: int) -> bool:
        """Return whether the worker of a port is SERVING, by its health."""
        return grpc_answers(f"127.0.0.1:{port}", self._credentials())

    def worker(self, port: int) -> psutil.Process | None:
        """Return the worker that has a port, if it is supervised and runs."""
        for process in self.process.children():
            with suppress(psutil.Error):  # it has just ended
                if process.environ().get(self.port_of_worker) == str(port):
                    return process
        return None

    def workers(self) -> set[psutil.Process]:
        """Return all supervised workers that run."""
        return set(self.process.children())

    @property
    def process(self) -> psutil.Process:
        """The process itself: the one worker, or their supervisor."""
        return psutil.Process(self._process.pid)

    def wait(self) -> int:
        """Wait until it has ended; return its exit code."""
        return self._process.wait(10)

    def stop(self) -> int:
        """End it as an operator does; return its exit code."""
        self._process.terminate()
        return self.wait()

    def log(self) -> str:
        """Read its log so far, including the output of libraries and Envoy."""
        return self.log_file.read_text()

    def lines(self, containing: str = "") -> list[dict[str, Any]]:
        """Read the lines that it has logged itself, those that contain a text."""
        with self.log_file.open("rb") as log:
            log.seek(self._read_bytes)
            added = log.read()
        # Tests poll this, and the log has a line for each request: each line is read once.
        whole = added[: added.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        self._lines += [line for line in whole.decode().split("\n") if line.startswith("{")]
        return [json.loads(line) for line in self._lines if containing in line]

    def logged(self, message: str) -> list[dict[str, Any]]:
        """Read the lines with a message."""
        return [line for line in self.lines(json.dumps(message)) if line["message"] == message]

    def _credentials(self) -> grpc.ChannelCredentials | None:
        """Return the credentials of the gateway's CA, if that connects by TLS."""
        file = self.environment.get("UPSTREAM_TLS_CA_FILE")
        return grpc.ssl_channel_credentials(Path(file).read_bytes()) if file else None


def is_killed_and_comes_back(server: Server, port: int) -> None:
    """Kill the worker of a port; there is another when this returns."""
    killed = server.worker(port)
    assert killed
    killed.kill()
    assert wait_until(lambda: server.worker(port) not in (None, killed), 60), server.log()
    assert wait_until(lambda: server.serves(port), 60), server.log()


class EmbeddedServer(Server):
    """A server embedded in Envoys, all on one port, which differ by the port of their admin page."""

    port_of_worker = "ADMIN_PORT"
    # Its own, and its replacement's.
    ports_of_worker = 2

    def prepare(self) -> None:
        self.environment = {"REST_PORT": str(free_port()), **self.environment}

    @property
    def port(self) -> int:
        return int(self.environment["REST_PORT"])

    def address_of(self, port: int) -> str:
        return f"127.0.0.1:{self.port}"

    def serves(self, port: int) -> bool:
        # httpx would load the system's CAs each time, for 25 ms.
        try:
            return ask(admin_url(port), "GET", "/ready").body == b"LIVE\n"
        except (OSError, http.client.HTTPException):
            return False

    @property
    def gateway(self) -> Gateway:
        """Its Envoy, or the first of them."""
        return Gateway(
            f"127.0.0.1:{self.port}", admin_url(self.ports[0]), self.output_file, self.log_file
        )


def admin_url(port: int) -> str:
    """Return the URL of an Envoy's admin page."""
    return f"http://127.0.0.1:{port}"


def server_of(folder: Path, settings: dict[str, str], *, waits: bool = True) -> Server:
    """Start a server, standalone or embedded in Envoy, as configured."""
    kind = EmbeddedServer if settings.get("EMBEDDED") == "1" else Server
    return kind(folder, settings, waits=waits)


@dataclass
class Stack:
    """PostgreSQL, server and gateway, all under way."""

    postgres: EmbeddedPostgres
    server: Server
    gateway: Gateway

    @property
    def deployment(self) -> Deployment:
        return Deployment.EMBEDDED if isinstance(self.server, EmbeddedServer) else Deployment.STANDALONE

    @property
    def grpc_addresses(self) -> tuple[str, str]:
        """The gRPC addresses: direct, and through Envoy; embedded, they are the same."""
        return f"127.0.0.1:{self.server.port}", self.gateway.address

    def get(self, call_id: Any = PLAIN_CALL.id, headers: dict[str, str] | None = None) -> Reply:
        """Request a call by REST."""
        return ask(self.gateway.url, "GET", f"/v1/live/calls/{call_id}", headers)


@contextmanager
def stack_running(postgres: EmbeddedPostgres, folder: Path, **settings: str) -> Iterator[Stack]:
    """Run the service on a migrated PostgreSQL; the settings are the server's and the gateway's.

    Without settings of Stream it is not configured: its SDK is more than half of a server's start.
    """
    server = server_of(folder, {"AUTH": "off", "DATABASE_URL": postgres.url, **settings})
    try:
        if isinstance(server, EmbeddedServer):
            yield Stack(postgres, server, server.gateway)
            return
        with gateway_running(server.port, folder, **settings) as gateway:
            yield Stack(postgres, server, gateway)
    finally:
        server.stop()
