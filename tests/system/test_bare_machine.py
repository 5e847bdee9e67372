"""Serving needs no standard streams, and nothing that can be written to."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.ports import free_port, free_ports
from demo.readiness import listens, wait_until
from tests.support.machine.commands import environment
from tests.support.network.certificates import Authority
from tests.support.server.serve import without_database

PROJECT = Path(__file__).parents[2]
SERVE, SERVE_EMBEDDED, GATEWAY = (
    ("server", "serve"),
    ("server", "serve", "--embedded"),
    ("gateway", "run"),
)
ALL = pytest.mark.parametrize("arguments", [SERVE, SERVE_EMBEDDED, GATEWAY], ids=" ".join)

WITHOUT_STREAMS = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
READ_ONLY = """
for place in /tmp /var/tmp $1; do mount --bind $place $place; mount -o remount,bind,ro $place; done
mount -o remount,bind,ro /
shift
exec "$@"
"""


def read_only(*more: str) -> list[str]:
    """Let a command write nowhere but into memory, and not there either if its place is given."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *as_root, "--mount", "sh", "-ec", READ_ONLY, "sh", " ".join(more)]


class Bare:
    """A serving command, started by another that deprives it of something."""

    def __init__(self, folder: Path, by: Sequence[str], arguments: tuple[str, ...], **more: str) -> None:
        tls = Authority(folder).issue("here").settings("GRPC_TLS" if arguments == SERVE else "REST_TLS")
        ports = {"GRPC_PORT": str(free_ports(2)[0]), "REST_PORT": str(free_port())}
        self.port = ports["GRPC_PORT" if arguments == SERVE else "REST_PORT"]
        ports["ADMIN_PORT"] = str(free_ports(2)[0])
        self._said = folder / "said"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [*by, sys.executable, "-m", *arguments],
                env=environment(**without_database(), **ports, **tls, PYTHONPATH=str(PROJECT), **more),
                cwd="/",  # the next choice for temporary files
                stdout=said,
                stderr=said,
            )

    def said(self) -> str:
        return self._said.read_text()

    def serves_and_ends(self) -> None:
        """Wait until it listens, and end it; it must exit with 0."""
        try:
            assert wait_until(lambda: listens(f"127.0.0.1:{self.port}"), 60), self.said()
            self.process.terminate()
            assert self.process.wait(30) == 0
        finally:
            self.process.kill()
            self.process.wait()


@ALL
@pytest.mark.parametrize("workers", ["1", "2"])
def test_without_standard_streams(tmp_path: Path, arguments: tuple[str, ...], workers: str) -> None:
    Bare(tmp_path, WITHOUT_STREAMS, arguments, WORKERS=workers).serves_and_ends()


@ALL
def test_with_nothing_to_write_to_but_memory(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    bare = Bare(tmp_path, read_only(), arguments)
    bare.serves_and_ends()
    assert "Traceback" not in bare.said()


@pytest.mark.parametrize("arguments", [SERVE_EMBEDDED, GATEWAY], ids=" ".join)
def test_tls_of_the_gateway_with_nothing_to_write_to_is_one_clear_line(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    bare = Bare(tmp_path, read_only("/dev/shm"), arguments)  # noqa: S108 - nothing is written there
    assert bare.process.wait(60) == 1
    assert "Traceback" not in bare.said()
    (line,) = (line for line in bare.said().splitlines() if line.startswith("Error: "))
    assert line == ("Error: No folder for temporary files can be written to: name one in TMPDIR")
