"""The service in parts of its own, each of which a test can take away: the server and all around it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from server.demo.postgres import EmbeddedPostgres
from server.demo.readiness import grpc_answers, wait_until
from server.demo.stream_stand_in.running import serving_in_thread
from server.demo.stream_stand_in.stand_in import StreamStandIn
from tests.support.calls import PLAIN_CALL
from tests.support.gateway import Gateway, gateway_running
from tests.support.ports import free_ports
from tests.support.rest import Reply, ask
from tests.support.stream import KEY, SECRET


class Server:
    """A `python -m server serve` that can be ended and started again, of one worker or several."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.ports = free_ports(int(settings.get("WORKERS", "1")))
        self.port = self.ports[0]
        self._log = folder / "server.log"
        self._environment = {**os.environ, **settings, "GRPC_PORT": str(self.port)}
        self.start()

    def start(self) -> None:
        """Start it and wait until it serves."""
        command = [sys.executable, "-m", "server", "serve"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stderr=log)
        assert wait_until(lambda: all(map(self.serves, self.ports)), 20), self.log()

    def serves(self, port: int) -> bool:
        """Tell whether the worker on a port says of itself that it serves."""
        return grpc_answers(f"127.0.0.1:{port}")

    def worker(self, port: int) -> psutil.Process | None:
        """Find the worker that has a port, where there are several and it runs."""
        for process in self.process.children():
            with suppress(psutil.Error):  # it has just ended
                if process.environ()["GRPC_PORT"] == str(port):
                    return process
        return None

    @property
    def process(self) -> psutil.Process:
        """The process itself: the one worker, or who keeps several."""
        return psutil.Process(self._process.pid)

    def wait(self) -> int:
        """Wait until it has ended; return its exit code."""
        return self._process.wait(10)

    def stop(self) -> int:
        """End it as an operator does; return its exit code."""
        self._process.terminate()
        return self.wait()

    def log(self) -> str:
        """Read what it has logged so far, a JSON object a line."""
        return self._log.read_text()


@dataclass
class Stack:
    """PostgreSQL, Stream stand-in, server and gateway, all under way."""

    postgres: EmbeddedPostgres
    stand_in: StreamStandIn
    server: Server
    gateway: Gateway

    @property
    def grpc_addresses(self) -> tuple[str, str]:
        """Where gRPC is answered: straight, and through Envoy."""
        return f"127.0.0.1:{self.server.port}", self.gateway.address

    def get(self, call_id: Any = PLAIN_CALL.id, headers: dict[str, str] | None = None) -> Reply:
        """Ask for a call by REST."""
        return ask(self.gateway.url, "GET", f"/v1/live/calls/{call_id}", headers)


@contextmanager
def stack_running(postgres: EmbeddedPostgres, folder: Path, **settings: str) -> Iterator[Stack]:
    """Run the service on a migrated PostgreSQL; the settings are the server's and the gateway's."""
    stand_in = StreamStandIn(KEY, SECRET)
    with serving_in_thread(stand_in) as stream_url:
        stream = {"STREAM_API_KEY": KEY, "STREAM_API_SECRET": SECRET, "STREAM_BASE_URL": stream_url}
        server = Server(folder, {"AUTH": "off", "DATABASE_URL": postgres.url, **stream, **settings})
        try:
            with gateway_running(server.port, folder, **settings) as gateway:
                yield Stack(postgres, stand_in, server, gateway)
        finally:
            server.stop()
