"""The demo as `make run` starts it: a process of its own, in a folder of its own."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from server.demo.readiness import free_port, wait_until
from server.demo.sample_calls import sample_id

READY = "Ctrl-C ends all of it."


@dataclass
class RunningDemo:
    """A `python -m server demo` under way."""

    rest_port: int
    grpc_port: int
    output_file: Path
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.rest_port}"

    def call_url(self, digit: int) -> str:
        """Tell where the sample call with the number is."""
        return f"{self.url}/v1/live/calls/{sample_id(digit)}"

    def output(self) -> str:
        """Read what it has printed so far."""
        return self.output_file.read_text()

    def processes(self) -> list[psutil.Process]:
        """List all that it runs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, word: str) -> psutil.Process | None:
        """Find the process of its own making whose command line has the word, where it runs."""
        for process in psutil.Process(self.process.pid).children():
            if process.status() != psutil.STATUS_ZOMBIE and word in process.cmdline():
                return process
        return None

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and wait for its end; return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def running_demo(**settings: str) -> Iterator[RunningDemo]:
    """Run the demo, from when it says that all of it answers."""
    with started_demo(rest_port=free_port(), grpc_port=free_port(), **settings) as demo:
        assert wait_until(lambda: READY in demo.output() or demo.process.poll() is not None, 60)
        assert demo.process.poll() is None, demo.output()
        yield demo


@contextmanager
def started_demo(*, rest_port: int, grpc_port: int, **settings: str) -> Iterator[RunningDemo]:
    """Start the demo in a folder of its own, into which PostgreSQL's user can see."""
    ports = {"REST_PORT": str(rest_port), "GRPC_PORT": str(grpc_port)}
    with tempfile.TemporaryDirectory(prefix="livecalls-") as folder:
        output_file = Path(folder) / "output"
        with output_file.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "server", "demo"],
                cwd=folder,
                env={**os.environ, **settings, **ports},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        demo = RunningDemo(rest_port, grpc_port, output_file, process)
        try:
            yield demo
        finally:
            if process.poll() is None:
                demo.end()
