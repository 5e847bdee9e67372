"""Envoys with the server inside: processes that share one port, each with an admin port of its own."""

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from uuid import uuid4

from server.keeping import terminate
from server.processes import ended_with_parent

_LOOK_SECONDS = 0.05
_WEIGH_SECONDS = 1.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# How long one may take to end once its requests have, before it is killed.
_MARGIN_SECONDS = 2.0
_ACTIVE = "http.rest.downstream_rq_active"

log = logging.getLogger("server.workers")


class Envoy:
    """A gateway with the server inside; an implementation of Kept."""

    def __init__(self, admin_port: int, grace: float, most_bytes: int) -> None:
        """Give its requests so many seconds when it ends, and end it where it takes more memory."""
        self._admin_port = admin_port
        self._id = uuid4().hex
        self._grace = grace
        self._most_bytes = most_bytes

    @property
    def name(self) -> Mapping[str, object]:
        return {"admin_port": self._admin_port}

    async def start(self) -> Process:
        """Start it in a session of its own, so that Ctrl-C reaches this process alone."""
        return await asyncio.create_subprocess_exec(
            *ended_with_parent("TERM"),
            *(sys.executable, "-m", "gateway", "run"),
            env={**os.environ, "INSIDE": "1", "ADMIN_PORT": str(self._admin_port), "NODE_ID": self._id},
            stdin=DEVNULL,
            start_new_session=True,
        )

    async def watch(self, process: Process, served: asyncio.Event) -> None:
        await _until(self._is_live, _LOOK_SECONDS)
        served.set()
        await _until(lambda: self._is_too_large(process), _WEIGH_SECONDS)

    async def end(self, process: Process) -> None:
        """Let it take no more requests and wait for those under way, which SIGTERM would cut off."""
        if process.returncode is None and await self._is_live():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._grace):
                    await self._drain()
        await terminate(process, _MARGIN_SECONDS)

    async def _drain(self) -> None:
        await self._admin_says("POST", "/drain_listeners?graceful", "OK")
        await _until(
            lambda: self._admin_says("GET", f"/stats?filter=^{_ACTIVE}$", f"{_ACTIVE}: 0"), _LOOK_SECONDS
        )

    async def _is_live(self) -> bool:
        """Tell whether it serves; another than ours may have the port, and must be left alone."""
        said = json.loads(await self._admin("GET", "/server_info") or "{}")
        return bool(said) and (said["state"], said["node"]["id"]) == ("LIVE", self._id)

    async def _admin_says(self, verb: str, path: str, expected: str) -> bool:
        return (await self._admin(verb, path)).strip() == expected.encode()

    async def _admin(self, verb: str, path: str) -> bytes:
        """Ask its admin page; it has nothing to say where there is no answer."""
        return await asyncio.to_thread(_asked, self._admin_port, verb, path)

    async def _is_too_large(self, process: Process) -> bool:
        taken = _resident_bytes(process.pid)
        if taken > self._most_bytes:
            log.error("a worker takes too much memory", extra={**self.name, "bytes": taken})
        return taken > self._most_bytes


async def _until(holds: Callable[[], Awaitable[bool]], every_seconds: float) -> None:
    while not await holds():  # noqa: ASYNC110 - it is another process that is looked at
        await asyncio.sleep(every_seconds)


def _asked(port: int, verb: str, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request(verb, path)
        return connection.getresponse().read()
    except (OSError, HTTPException):
        return b""
    finally:
        connection.close()


def _resident_bytes(pid: int) -> int:
    """Read what a process takes of the memory; nothing once it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0
