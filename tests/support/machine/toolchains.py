"""What tests need besides Python: if it is missing they are skipped, but fail in CI."""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple, TextIO

import pytest

ROOT = Path(__file__).parents[3]
# What pytest-xdist's processes have in common.
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")


class Tool(NamedTuple):
    """A build tool of clients: the least version that will do, and the command that prints it."""

    least: tuple[int, ...]
    version: tuple[str, ...]

    def missing(self) -> str:
        """Return what is missing here, empty if nothing is."""
        needed = f"{self.version[0]} {_dotted(self.least)} or newer"
        if not shutil.which(self.version[0]):
            return f"{needed}; there is none"
        said = subprocess.run(self.version, check=True, capture_output=True, text=True)
        # No digit of a colour, which Maven prints into pipes too.
        dotted = re.findall(r"\d+(?:\.\d+)*\b", said.stdout + said.stderr)[0]
        found = tuple(map(int, dotted.split(".")))
        return "" if found >= self.least else f"{needed}; there is {dotted}"


def set_up_by(script: str, *arguments: str) -> None:
    """Run an installing script of `scripts/`; if that fails, fail in CI and else skip."""
    insist_on(_failed(script, *arguments))


def insist_on(missing: str) -> None:
    """Fail in CI and else skip, with the message, if something is missing."""
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


def build_once(name: str, command: Sequence[str | Path], **environment: str) -> None:
    """Run a command that builds something, once in a run of tests, which may have several processes.

    Raises CalledProcessError.
    """
    with sole_process(name) as last_run:
        if _RUN and last_run.read() == _RUN:
            return
        subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True)
        last_run.truncate(0)
        last_run.write(_RUN)


@contextmanager
def sole_process(name: str) -> Iterator[TextIO]:
    """Hold the lock of what has the name, and yield its file."""
    locks = ROOT / ".build" / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / name).open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        yield lock


@cache
def _failed(*command: str) -> str:
    with sole_process("debian"):
        done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
