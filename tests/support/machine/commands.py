"""The command line, in the test's own process or in one of its own."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from client.__main__ import cli as client
from demo.__main__ import cli as demo
from gateway.__main__ import main as gateway
from server.__main__ import cli as server
from server.application.call import Call
from server.store.json_lines import write_line
from tests.support.data.calls import PLAIN_CALL

PROGRAMS = {"client": client, "demo": demo, "gateway": gateway, "server": server}
READ_SETTINGS = (
    *(
        "AUTH",
        "DATABASE",
        "STREAM",
        "GRPC_",
        "LOG_",
        "WORKERS",
        "EMBEDDED",
        "ENVOY_",
        "REST_",
        "ADMIN_",
        "STATS_",
        "DRAIN_",
        "REFLECTION",
        "WATCHDOG_",
        "MAX_RSS_",
        "METRICS_",
        "OTEL_",
    ),
    *("ACCESS_TOKEN", "TLS_"),
)


def run(*arguments: str, stdin: bytes | str = b"", of: str = "server", **settings: str) -> Result:
    """Run a command of a program in this process, with no settings but those given, in upper case."""
    environment: dict[str, str | None] = dict.fromkeys(set(os.environ) - set(_unset()))
    return CliRunner().invoke(
        PROGRAMS[of],
        arguments,
        input=stdin,
        env={**environment, **settings},
        catch_exceptions=False,
    )


async def run_apart(*arguments: str, stdin: bytes | str = b"", **settings: str) -> Result:
    """Run a command on a thread of this process, for one that runs an event loop."""
    return await asyncio.to_thread(lambda: run(*arguments, stdin=stdin, **settings))


def command(*arguments: str, of: str = "server") -> list[str]:
    """Write the command line of a process of its own, of the server or of another program."""
    return [sys.executable, "-W", "error", "-m", of, *arguments]


def environment(**settings: str) -> dict[str, str]:
    """Make an environment with no settings but those given, in upper case."""
    return {**_unset(), **settings}


def run_process(
    *arguments: str, stdin: bytes = b"", of: str = "server", **settings: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run a command as a process of its own, with no settings but those given."""
    return subprocess.run(
        command(*arguments, of=of),
        input=stdin,
        env=environment(**settings),
        capture_output=True,
        timeout=60,
        check=False,
    )


def lines(*calls: Call) -> bytes:
    """Write calls as JSON Lines."""
    return b"".join(write_line(call) for call in calls)


def line(**changes: Any) -> bytes:
    """Write a plain call as a line, with any JSON in place of some values."""
    return json.dumps({**json.loads(write_line(PLAIN_CALL)), **changes}).encode() + b"\n"


def jsonl(folder: Path, content: bytes) -> str:
    """Write lines to a file, and return its name."""
    file = folder / "calls.jsonl"
    file.write_bytes(content)
    return str(file)


def _unset() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(READ_SETTINGS)}
