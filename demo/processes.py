"""Supervises the demo's processes: starts them, restarts what died, ends them all."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from demo.readiness import listens, wait_until
from machine.ending import pdeathsig_prefix

_LISTENS_WITHIN_SECONDS = 10.0


@dataclass
class Process:
    """One process of the demo: `python -m` with arguments, settings, and where its output goes.

    A log takes all output, or all but the errors, which people see then. One with a port is used by
    those that are started after it.
    """

    name: str
    arguments: list[str]
    environment: Mapping[str, str]
    log: Path | None = None
    errors_shown: bool = False
    port: int | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches the demo alone."""
        output = self.log.open("ab") if self.log else None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the arguments are the demo's own
                [*pdeathsig_prefix("TERM"), sys.executable, "-m", *self.arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if self.errors_shown else output,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()

    def wait_for_port(self, seconds: float) -> None:
        """Wait until its port takes connections, if it has one; no longer than it runs, or than that."""
        if (port := self.port) is not None:
            wait_until(lambda: listens(f"127.0.0.1:{port}") or self.exit_code() is not None, seconds)

    def exit_code(self) -> int | None:
        """Return its exit code, or None while it runs."""
        return self._process.poll() if self._process else None

    def terminate(self) -> None:
        """Send it SIGTERM."""
        if self._process:
            self._process.terminate()

    def join(self, seconds: float) -> None:
        """Wait until it has ended; kill it after so many seconds."""
        if self._process is None:
            return
        try:
            self._process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def run_processes(processes: list[Process], *, end_within: float) -> Iterator[None]:
    """Start processes, and end them all within so many seconds when the block ends."""
    try:
        for process in processes:
            process.start()
            process.wait_for_port(_LISTENS_WITHIN_SECONDS)
        yield
    finally:
        for process in reversed(processes):
            process.terminate()
        deadline = monotonic() + end_within
        for process in reversed(processes):
            process.join(deadline - monotonic())
