"""Workers beside Envoy: processes that answer gRPC, each on a port of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping

from server.keeping import terminate
from server.processes import ended_with_parent

SERVING = "serving"
"""What a worker writes to standard output once it serves."""

# How long one may take to end beyond the grace of its requests, before it is killed.
_MARGIN_SECONDS = 2.0


class Worker:
    """A `serve` that answers on a port; an implementation of Kept."""

    def __init__(self, port: int, grace: float) -> None:
        """Give its requests so many seconds when it ends."""
        self._port = port
        self._end_within = grace + _MARGIN_SECONDS

    @property
    def name(self) -> Mapping[str, object]:
        return {"port": self._port}

    async def start(self) -> Process:
        """Start it in a session of its own, so that Ctrl-C reaches this process alone."""
        return await asyncio.create_subprocess_exec(
            *ended_with_parent("TERM"),
            *(sys.executable, "-m", "server", "serve", "--workers", "1", "--announce"),
            env={**os.environ, "GRPC_PORT": str(self._port)},
            stdin=DEVNULL,
            stdout=PIPE,
            start_new_session=True,
        )

    async def watch(self, process: Process, served: asyncio.Event) -> None:
        assert process.stdout  # noqa: S101 - a pipe, as start() has asked for
        async for _ in process.stdout:
            served.set()
        await process.wait()

    async def end(self, process: Process) -> None:
        await terminate(process, self._end_within)
