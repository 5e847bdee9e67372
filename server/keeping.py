"""Keeps processes running: starts them, starts again what has ended, and ends them all with their grace.

Nothing is imported here that they need: this process stays small, and gRPC does not survive a fork.
"""

import asyncio
import logging
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import NoReturn, Protocol

# A process that ran for so long was well: the next pause is the shortest again.
WELL_SECONDS = 10.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 10.0

log = logging.getLogger("server.workers")


class CannotStartError(Exception):
    """A process ended before it ever served; why, it has said itself."""


class Kept(Protocol):
    """A process that can be started again and again."""

    @property
    def name(self) -> Mapping[str, object]:
        """What log lines call it by."""
        ...

    async def start(self) -> Process:
        """Start it."""
        ...

    async def watch(self, process: Process, served: asyncio.Event) -> None:
        """Say once that it serves; return where it must be ended to be started again."""
        ...

    async def end(self, process: Process) -> None:
        """End it with its grace, if it has not ended yet."""
        ...


async def keep_all(processes: Sequence[Kept]) -> None:
    """Keep processes until SIGTERM or SIGINT; then end them all, each with its grace.

    Raises CannotStartError where one ends in its first run without having served.
    """
    told_to_end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    first, *others = map(Keeper, processes)
    # One goes ahead, so that what is wrong with the settings of all is said once.
    keeping = [first.keep(), *(other.keep(after=first.served) for other in others)]
    tasks = [asyncio.create_task(each) for each in (told_to_end.wait(), *keeping)]
    (ended, *_), _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    log.info("ending the workers")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    ended.result()


class Keeper:
    """Keeps one process, and knows whether it ever served."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
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
            ending = {**self._kept.name, "exit_code": await self._run()}
            if not self.served.is_set():
                log.error("a worker cannot start", extra=ending)
                raise CannotStartError
            pause = pauses.after(monotonic() - began)
            log.error("a worker has ended", extra={**ending, "started_again_in_s": pause})
            await asyncio.sleep(pause)

    async def _run(self) -> int:
        process = await self._kept.start()
        tasks = [
            asyncio.create_task(self._kept.watch(process, self.served)),
            asyncio.create_task(process.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await self._kept.end(process)
        return await process.wait()


class Pauses:
    """How long to wait before what has ended is started again: the longer, the more often it ends."""

    def __init__(self) -> None:
        self._next = 0.0

    def after(self, ran_seconds: float) -> float:
        """Tell the pause after a run that took so long; there is none after one that went well."""
        pause = 0.0 if ran_seconds >= WELL_SECONDS else self._next
        self._next = min(max(2 * pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        return pause


async def terminate(process: Process, within: float) -> None:
    """Ask a process to end, and kill it where it has not after so many seconds."""
    with suppress(ProcessLookupError):  # it has ended
        process.terminate()
    try:
        async with asyncio.timeout(within):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
