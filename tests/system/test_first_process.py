"""The first process of a container ends on SIGTERM, from its first line on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from demo.ports import free_port
from demo.readiness import listens, wait_until
from tests.support.machine import slow_import
from tests.support.machine.commands import environment
from tests.support.server.serve import without_database

SERVE, SERVE_EMBEDDED, GATEWAY = (
    ("server", "serve"),
    ("server", "serve", "--embedded"),
    ("gateway", "run"),
)


@contextmanager
def first_process(*arguments: str, **settings: str) -> Iterator[psutil.Process]:
    """Run a command as PID 1 of a namespace of its own, while the block lasts."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    alone = ["unshare", *as_root, "--pid", "--fork", "--kill-child"]
    command = [*alone, sys.executable, "-m", *arguments]
    process = subprocess.Popen(command, env=environment(**settings))
    try:
        parent = psutil.Process(process.pid)
        assert wait_until(lambda: bool(parent.children()), 30)
        yield parent
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def tell(unshare: psutil.Process, number: signal.Signals) -> None:
    for process in unshare.children():
        process.send_signal(number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        (SERVE, "click"),
        (SERVE, "uvloop"),
        (SERVE_EMBEDDED, "server.supervision.supervisor"),
        (GATEWAY, "click"),
        (GATEWAY, "gateway.render"),
    ],
    ids=lambda it: it if isinstance(it, str) else " ".join(it),
)
def test_it_ends_while_it_still_imports(
    tmp_path: Path, arguments: tuple[str, ...], module: str, number: signal.Signals
) -> None:
    importing = tmp_path / "importing"
    slow = {"SLOW_IMPORT": module, "IMPORTING": str(importing), "PYTHONPATH": str(slow_import.FOLDER)}
    with first_process(*arguments, **without_database(), **slow) as process:
        assert wait_until(importing.exists, 30)
        tell(process, number)


@pytest.mark.parametrize(
    ("arguments", "embedded"),
    [(SERVE, "0"), (SERVE_EMBEDDED, "0"), (GATEWAY, "0"), (GATEWAY, "1")],
    ids=lambda it: it if isinstance(it, str) else " ".join(it),
)
def test_it_ends_once_it_serves(arguments: tuple[str, ...], embedded: str) -> None:
    ports = {name: str(free_port()) for name in ("GRPC_PORT", "REST_PORT", "ADMIN_PORT")}
    asked = ports["GRPC_PORT" if arguments == SERVE else "REST_PORT"]
    settings = {**without_database(), **ports, "EMBEDDED": embedded}
    with first_process(*arguments, **settings) as process:
        assert wait_until(lambda: listens(f"127.0.0.1:{asked}"), 60)
        tell(process, signal.SIGTERM)
