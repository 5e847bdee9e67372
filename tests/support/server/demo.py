"""The demo as `make run` starts it: a process of its own, in a folder of its own."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from demo.ports import free_port, free_ports
from demo.readiness import wait_until
from demo.sample_calls import sample_id

READY = "Ctrl-C ends all of it."
STREAM_AWAITED = {"STREAM_TIMEOUT_MS": "3000"}
"""Ten times as long as by default, so that a busy machine is not taken for a Stream that does not
respond; one of the sample calls waits all of it."""

# As a script starts what it runs beside itself: deaf to SIGINT, unless it listens by itself.
_AS_A_JOB = 'trap \'\' INT; exec "$0" -m demo run "$@"'


@dataclass
class RunningDemo:
    """A `python -m demo run` under way."""

    rest_port: int
    grpc_port: int
    """The server's own gRPC port; embedded in Envoy, it is that of REST."""
    output_file: Path
    process: "subprocess.Popen[bytes]"

    @property
    def folder(self) -> Path:
        """The folder in which it runs, unless that is another's."""
        return self.output_file.parent

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.rest_port}"

    def call_url(self, digit: int) -> str:
        """Return the URL of the sample call with the number."""
        return f"{self.url}/v1/live/calls/{sample_id(digit)}"

    @property
    def token(self) -> str:
        """The access token that it has printed."""
        return self._printed(r"export ACCESS_TOKEN=(\S+)")

    @property
    def bearer(self) -> dict[str, str]:
        """The Authorization header with that token."""
        return {"authorization": f"Bearer {self.token}"}

    @property
    def database_url(self) -> str:
        """The URL of the sample calls' database."""
        return self._printed(r" DATABASE_URL='([^']+)'")

    @property
    def on_air_at_stream_url(self) -> str:
        """The URL that controls the call on air in the Stream stand-in."""
        return self._printed(r"curl -X PUT (\S+)")

    def output(self) -> str:
        """Read what it has printed so far."""
        return self.output_file.read_text()

    def _printed(self, pattern: str) -> str:
        (found,) = re.findall(pattern, self.output())
        return str(found)

    def processes(self) -> list[psutil.Process]:
        """List all that it runs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, word: str) -> psutil.Process | None:
        """Return its child process whose command line has the word, if it runs."""
        for process in self.processes():
            with suppress(psutil.Error):  # it has just ended
                if process.status() != psutil.STATUS_ZOMBIE and word in process.cmdline():
                    return process
        return None

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and wait for its end; return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def running_demo(*options: str, **settings: str) -> Iterator[RunningDemo]:
    """Run the demo; the block begins once it reports that all of it responds."""
    rest_port, grpc_port = free_port(), free_ports(int(settings.get("WORKERS", "1")))[0]
    if settings.get("EMBEDDED") == "1":
        grpc_port = rest_port
    with started_demo(rest_port, grpc_port, options=options, settings=STREAM_AWAITED | settings) as demo:
        assert wait_until(lambda: READY in demo.output() or demo.process.poll() is not None, 60)
        assert demo.process.poll() is None, demo.output()
        yield demo


@contextmanager
def started_demo(
    rest_port: int,
    grpc_port: int,
    *,
    folder: Path | None = None,
    options: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
) -> Iterator[RunningDemo]:
    """Start the demo, in a folder of its own into which PostgreSQL's user can see, or in another's."""
    ports = {"REST_PORT": str(rest_port), "GRPC_PORT": str(grpc_port)}
    with tempfile.TemporaryDirectory(prefix="livecalls-") as own_folder:
        output_file = Path(own_folder) / "output"
        with output_file.open("wb") as output:
            process = subprocess.Popen(
                ["sh", "-c", _AS_A_JOB, sys.executable, *options],
                cwd=folder or own_folder,
                env={**os.environ, **(settings or {}), **ports},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield RunningDemo(rest_port, grpc_port, output_file, process)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(20)


def pasted(command: str) -> str:
    """Run a command as a user does who pastes it, in another folder; return what it prints."""
    return subprocess.run(
        ["bash", "-c", command], cwd="/", check=True, capture_output=True, text=True, timeout=30
    ).stdout
