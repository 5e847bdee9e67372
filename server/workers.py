"""Several workers: processes that answer, each on a port of its own, kept running by this one.

gRPC does not survive a fork and needs its memory, so that this process imports none of it.
"""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import NoReturn

from server.processes import ended_with_parent

SERVING = "serving"
"""What a worker writes to standard output once it serves."""

# A worker that ran for so long was well: the next pause is the shortest again.
WELL_SECONDS = 10.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
# How long a worker may take to end beyond the grace of its requests, before it is killed.
_MARGIN_SECONDS = 2.0

log = logging.getLogger("server.workers")


class CannotStartError(Exception):
    """A worker ended before it ever served; why, it has said itself."""


async def keep_workers(ports: Sequence[int], grace: float) -> None:
    """Keep a worker on each port, until SIGTERM or SIGINT; then end them all, each with its grace.

    Raises CannotStartError where one ends in its first run without having served.
    """
    told_to_end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    first, *others = (Worker(port, grace) for port in ports)
    # One goes ahead, so that what is wrong with the settings of all is said once.
    keeping = [first.keep(), *(other.keep(after=first.served) for other in others)]
    tasks = [asyncio.create_task(each) for each in (told_to_end.wait(), *keeping)]
    (ended, *_), _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    log.info("ending the workers")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    ended.result()


class Worker:
    """A `serve` that answers on a port, and whether it ever did."""

    def __init__(self, port: int, grace: float) -> None:
        self._port = port
        self._end_within = grace + _MARGIN_SECONDS
        self.served = asyncio.Event()

    async def keep(self, after: asyncio.Event | None = None) -> NoReturn:
        """Run it, after an event if there is one, and again whenever it ends; end it when cancelled.

        Raises CannotStartError where it ends in its first run without having served.
        """
        if after:
            await after.wait()
        pauses = Pauses()
        while True:
            began = monotonic()
            code = await self._run()
            if not self.served.is_set():
                log.error("a worker cannot start", extra={"port": self._port, "exit_code": code})
                raise CannotStartError
            pause = pauses.after(monotonic() - began)
            ending = {"port": self._port, "exit_code": code, "started_again_in_s": pause}
            log.error("a worker has ended", extra=ending)
            await asyncio.sleep(pause)

    async def _run(self) -> int:
        process = await _started(self._port)
        try:
            assert process.stdout  # noqa: S101 - a pipe, as _started() has asked for
            async for _ in process.stdout:
                self.served.set()
            return await process.wait()
        finally:
            await _end(process, self._end_within)


class Pauses:
    """How long to wait before what has ended is started again: the longer, the more often it ends."""

    def __init__(self) -> None:
        self._next = 0.0

    def after(self, ran_seconds: float) -> float:
        """Tell the pause after a run that took so long; there is none after one that went well."""
        pause = 0.0 if ran_seconds >= WELL_SECONDS else self._next
        self._next = min(max(2 * pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        return pause


async def _started(port: int) -> Process:
    """Start a worker in a session of its own, so that Ctrl-C reaches this process alone."""
    return await asyncio.create_subprocess_exec(
        *ended_with_parent("TERM"),
        *(sys.executable, "-m", "server", "serve", "--workers", "1", "--announce"),
        env={**os.environ, "GRPC_PORT": str(port)},
        stdin=DEVNULL,
        stdout=PIPE,
        start_new_session=True,
    )


async def _end(process: Process, within: float) -> None:
    with suppress(ProcessLookupError):  # it has ended
        process.terminate()
    try:
        async with asyncio.timeout(within):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
