"""Envoys with the embedded server: processes that share one port, each with its own admin port."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from machine.ending import pdeathsig_prefix, terminate
from machine.envoy_admin import EnvoyAdmin
from server.supervision.child_process import wait_for_database
from server.supervision.siblings import ALONE, Siblings

_WEIGH_SECONDS = 1.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Draining, it listens for a second more to send callers GOAWAY; this lets the end of it be seen.
_DRAINS_AT_LEAST_SECONDS = 1.5
# How long one may take to end once its requests have, before it is killed.
_MARGIN_SECONDS = 2.0
_SUPERVISED = {"EMBEDDED": "1", "EMBEDDED_SUPERVISED": "1"}

log = logging.getLogger("server.workers")


@dataclass(frozen=True)
class Resources:
    """What an Envoy has for itself: its ports, and sockets."""

    admin: tuple[int, int]
    """Its own, and its replacement's."""
    stats: int = 0
    """Of its statistics, which its replacement has too; 0 is none."""
    metrics: int = 0
    """Of the server's metrics, the same."""
    siblings: Siblings = ALONE
    """The sockets by which its server reaches the others'."""


class Envoy:
    """A gateway with the embedded server; an implementation of ChildSpec."""

    def __init__(
        self,
        own: Resources,
        grace: float,
        max_bytes: int,
        ready_within: float,
        drain_delay: float = 0,
    ) -> None:
        """Give its requests `grace` seconds when it ends, and replace it if it takes more memory.

        Before it ends it goes on serving for the delay, in seconds, unless it has been replaced.
        """
        self._admin_ports = list(own.admin)
        self._stats_port = own.stats
        self._metrics_port = own.metrics
        self._last: _Running | None = None
        self._grace = grace
        self._drain_delay = drain_delay
        self._siblings = own.siblings
        self._max_bytes = max_bytes
        self.ready_within = ready_within

    async def start(self, *, takes_over: bool = False) -> "_Running":
        """Start it in a session of its own, so that Ctrl-C reaches this process alone."""
        if self._last and self._last.process.returncode is None:
            self._admin_ports.reverse()
        port, node_id = self._admin_ports[0], uuid4().hex
        process = await asyncio.create_subprocess_exec(
            *pdeathsig_prefix("TERM"),
            *(sys.executable, "-m", "gateway", "run"),
            env={
                **os.environ,
                **_SUPERVISED,
                **wait_for_database(takes_over=takes_over),
                "ADMIN_PORT": str(port),
                "METRICS_PORT": str(self._metrics_port),
                "STATS_PORT": str(self._stats_port),
                "NODE_ID": node_id,
                **self._siblings.settings,
            },
            pass_fds=self._siblings.descriptors,
            stdin=PIPE,
            start_new_session=True,
        )
        name, admin = {"admin_port": port}, EnvoyAdmin(port, node_id)
        self._last = _Running(process, name, admin, self._grace, self._drain_delay, self._max_bytes)
        return self._last


@dataclass(frozen=True, eq=False)
class _Running:
    process: Process
    name: Mapping[str, object]
    admin: EnvoyAdmin
    grace: float
    drain_delay: float
    max_bytes: int

    async def wait_ready(self) -> None:
        await self.admin.until_live()

    async def wait_unhealthy(self) -> None:
        while (taken := _resident_bytes(self.process.pid)) <= self.max_bytes:  # noqa: ASYNC110
            await asyncio.sleep(_WEIGH_SECONDS)
        log.error("worker over its memory limit", extra={**self.name, "rss_bytes": taken})

    async def end(self) -> None:
        """Drain it, after the delay in which it still serves if it has begun to."""
        self._announce_end()
        if self.drain_delay and await self.admin.is_live():
            with suppress(TimeoutError):
                async with asyncio.timeout(self.drain_delay):
                    await self.process.wait()
        await self._drain()

    async def drain(self) -> None:
        self._announce_end()
        await self._drain()

    def _announce_end(self) -> None:
        """Have the embedded server's health report the end."""
        assert self.process.stdin  # noqa: S101 - a pipe, as start() has requested
        self.process.stdin.close()

    async def _drain(self) -> None:
        """Drain it and end it: SIGTERM alone would cut off the requests under way."""
        within = max(self.grace, _DRAINS_AT_LEAST_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                if self.process.returncode is None and await self.admin.is_live(within):
                    await self.admin.drain()
        await terminate(self.process, _MARGIN_SECONDS)


def _resident_bytes(pid: int) -> int:
    """Return the resident memory of a process; 0 once it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0
