"""A `python -m server serve` without a database: enough for what comes before a request."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.ports import free_ports
from demo.readiness import wait_until
from tests.support.machine.commands import command, environment
from tests.support.stand_ins.stream import closed_port


@dataclass(frozen=True)
class Serve:
    """The process, by its port and its log."""

    port: int
    log: Path

    def lines(self, message: str) -> list[dict[str, Any]]:
        """Read what it has logged with a message so far; gRPC's core writes lines that are no JSON."""
        lines = [
            json.loads(line)
            for line in self.log.read_text().splitlines(keepends=True)
            if line[0] == "{" and line[-1] == "\n"
        ]
        return [line for line in lines if line["message"] == message]


@contextmanager
def serve_running(folder: Path, **settings: str) -> Iterator[Serve]:
    """Run the process while the block lasts; it must exit with 0."""
    serve = Serve(free_ports(int(settings.get("WORKERS", "1")))[0], folder / "serve.log")
    settings = {"GRPC_PORT": str(serve.port), **without_database(), **settings}
    with serve.log.open("wb") as log:
        process = subprocess.Popen(command("serve"), env=environment(**settings), stderr=log)
    try:
        assert wait_until(lambda: bool(serve.lines("serving")), 20), serve.log.read_text()
        yield serve
    finally:
        process.terminate()
        assert process.wait(10) == 0


def without_database() -> dict[str, str]:
    """Return settings with an unavailable database, and without tokens."""
    return {"AUTH": "off", **database_away()}


def database_away() -> dict[str, str]:
    """Return settings with an unavailable database, which is not waited for."""
    url = f"postgresql://127.0.0.1:{closed_port()}/calls"
    return {"DATABASE_URL": url, "DATABASE_READY_TIMEOUT_MS": "1"}
