"""The contenders of `make bench`, each as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from demo.ports import free_port
from demo.readiness import listens, wait_until
from tests.support.machine.commands import environment
from tests.support.machine.toolchains import ROOT, build_once

GO_GRPC = [str(ROOT / ".build/peers/grpc")]
GO_GATEWAY = [str(ROOT / ".build/peers/gateway")]


def python_peer(name: str) -> list[str]:
    """Return the command line of a peer in Python."""
    return [sys.executable, "-m", f"tests.load.peers.{name}"]


def build_go_peers() -> None:
    """Generate and build the peers in Go, which takes half a minute the first time."""
    build_once("peers", ["make", "peers"])


@contextmanager
def peer_running(command: list[str], **settings: str) -> Iterator[str]:
    """Run a peer while the block lasts, and yield its address; it must end on SIGTERM."""
    port = free_port()
    process = subprocess.Popen(command, cwd=ROOT, env=environment(PORT=str(port), **settings))
    address = f"127.0.0.1:{port}"
    try:
        assert wait_until(lambda: process.poll() is not None or listens(address), 20)
        assert process.poll() is None, "the peer has ended"
        yield address
    finally:
        process.terminate()
        assert process.wait(10) in (os.EX_OK, -signal.SIGTERM)
