"""The server as its users start it: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server.demo.readiness import free_port, grpc_answers, wait_until


@dataclass
class RunningServer:
    """A `python -m server serve` under way."""

    port: int
    log_file: Path
    process: "subprocess.Popen[bytes]"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def log(self) -> str:
        """Read what it has logged so far."""
        return self.log_file.read_text()


@contextmanager
def running_server(folder: Path, port: int | None = None, **settings: str) -> Iterator[RunningServer]:
    """Run a server with settings, in upper case, and wait until it serves."""
    port = port or free_port()
    log_file = folder / f"server-{port}.log"
    environment = {**os.environ, **settings, "GRPC_PORT": str(port)}
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve"], env=environment, stderr=log
        )
    try:
        assert wait_until(lambda: grpc_answers(f"127.0.0.1:{port}"), 20), log_file.read_text()
        yield RunningServer(port, log_file, process)
    finally:
        process.terminate()
        process.wait(10)
