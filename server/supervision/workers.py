"""Standalone workers: processes that serve gRPC, each on a port of its own."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from machine.ending import pdeathsig_prefix, terminate
from server.supervision.child_process import wait_for_database
from server.supervision.siblings import ALONE, Siblings

SERVING = "serving"
"""What a worker writes to standard output once it serves."""

# How long one may take to end beyond the grace of its requests, before it is killed.
_MARGIN_SECONDS = 2.0
# How long Envoy's health check may take to notice that a worker gets no more requests.
_AVOIDED_WITHIN_SECONDS = 1.5


@dataclass(frozen=True)
class Worker:
    """A `serve` on one port; an implementation of ChildSpec."""

    port: int
    grace: float
    """Seconds that it may take to end: its delay, and what its requests get."""
    ready_within: float
    metrics_port: int = 0
    siblings: Siblings = ALONE

    async def start(self, *, takes_over: bool = False) -> "_Running":
        """Start it in a session of its own, so that Ctrl-C reaches this process alone."""
        process = await asyncio.create_subprocess_exec(
            *pdeathsig_prefix("TERM"),
            *(sys.executable, "-m", "server", "serve", "--workers", "1", "--supervised"),
            env={
                **os.environ,
                "GRPC_PORT": str(self.port),
                "METRICS_PORT": str(self.metrics_port),
                **wait_for_database(takes_over=takes_over),
                **self.siblings.settings,
            },
            pass_fds=self.siblings.descriptors,
            stdin=DEVNULL,
            stdout=PIPE,
            start_new_session=True,
        )
        return _Running(process, {"port": self.port}, self.grace + _MARGIN_SECONDS)


@dataclass(frozen=True, eq=False)
class _Running:
    process: Process
    name: Mapping[str, object]
    end_within: float

    async def wait_ready(self) -> None:
        assert self.process.stdout  # noqa: S101 - a pipe, as start() has requested
        if not await self.process.stdout.readline():
            await asyncio.Event().wait()  # it has ended without serving

    async def wait_unhealthy(self) -> None:
        """Read on, so that it can write; an unhealthy one logs the reason itself, and ends."""
        assert self.process.stdout  # noqa: S101 - as above
        async for _ in self.process.stdout:
            pass
        await asyncio.Event().wait()

    async def end(self) -> None:
        await terminate(self.process, self.end_within)

    async def drain(self) -> None:
        """Let its health report the end first: gRPC fails requests that arrive as it stops."""
        with suppress(ProcessLookupError):  # it has ended
            self.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(_AVOIDED_WITHIN_SECONDS)
        await self.end()
