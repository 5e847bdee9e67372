"""Supervises one process: starts it, restarts it if it ends, and replaces it by a new one."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from enum import Enum, auto
from time import monotonic
from typing import NoReturn

from server.supervision.pauses import LONGEST_PAUSE, Pauses
from server.supervision.run import Kept, Run

START_WITHIN_SECONDS = 30.0
"""How long a process may take to serve before it is ended; `ready_within` comes on top."""

log = logging.getLogger("server.workers")


class _Start(Enum):
    """What became of a process that was started."""

    SERVES = auto()
    ENDED = auto()
    LATE = auto()


class CannotStartError(Exception):
    """A process ended before it ever served; it has logged the reason itself."""


class Keeper:
    """Supervises one process, and knows whether it ever served."""

    def __init__(self, kept: Kept, ask: Callable[["Keeper"], None], start_within: float) -> None:
        """Ask for replace() to be called if a run is unhealthy; each has so many seconds to serve."""
        self._kept = kept
        self._ask = ask
        self._start_within = start_within
        self._pauses = Pauses()
        self._runs: list[Run] = []
        # Held while another is started because the one before has ended or is to end.
        self._changing = asyncio.Lock()
        self.current: Run | None = None
        self.served = asyncio.Event()

    async def keep(self, after: asyncio.Event | None = None) -> NoReturn:
        """Run it, after an event if there is one; restart it whenever it ends; end it when cancelled.

        Raises CannotStartError if it ends by itself in its first run, without having served.
        """
        if after:
            await after.wait()
        try:
            self.current = await self._start()
            if await self._comes_to_serve(self.current) is _Start.ENDED:
                log.error("a worker cannot start", extra=_ending_of(self.current))
                raise CannotStartError
            while True:
                await self._watch(self.current)
        finally:
            await asyncio.gather(*(run.end() for run in self._runs))

    async def replace(self, run: Run) -> bool:
        """Start another, and once that serves end the run, which goes on if the other does not serve.

        Returns whether the run is replaced, or has ended by itself.
        """
        await self.served.wait()
        async with self._changing:
            if run is not self.current:
                return True
            try:
                another = await self._start(takes_over=True)
            except OSError:  # the system has no room for one more
                log.exception("a worker cannot be replaced")
                return False
            if await self._comes_to_serve(another, takes_over=True) is not _Start.SERVES:
                log.error("a worker cannot be replaced", extra=_ending_of(another))
                return False
            self.current = another
        await run.give_way()
        log.info("a worker has been replaced", extra={**run.name, "by": dict(another.name)})
        return True

    async def _watch(self, run: Run) -> None:
        """Wait until it ends, and start another if it has not been replaced."""
        began = monotonic()
        looking = asyncio.create_task(self._look_after(run, began))
        try:
            await run.process.wait()
        finally:
            looking.cancel()
        async with self._changing:
            if run is self.current:
                pause = self._pauses.after(monotonic() - began)
                log.error("a worker has ended", extra={**_ending_of(run), "started_again_in_s": pause})
                await asyncio.sleep(pause)
                self.current = await self._start_again()
                await self._comes_to_serve(self.current)

    async def _start_again(self) -> Run:
        """Start another as soon as the system has room for it: processes, memory or descriptors."""
        while True:
            try:
                return await self._start()
            except OSError as error:
                pause = self._pauses.after(0)
                reason = {"reason": error.strerror, "tried_again_in_s": pause}
                log.error("a worker cannot be started", extra=reason)  # noqa: TRY400 - a traceback adds nothing
                await asyncio.sleep(pause)

    async def _look_after(self, run: Run, began: float) -> NoReturn:
        while True:
            await run.ails()
            await asyncio.sleep(self._pauses.after(monotonic() - began))
            self._ask(self)
            await asyncio.sleep(LONGEST_PAUSE)

    async def _start(self, *, takes_over: bool = False) -> Run:
        run = await self._kept.start(takes_over=takes_over)
        self._runs = [run, *(run for run in self._runs if run.process.returncode is None)]
        return run

    async def _comes_to_serve(self, run: Run, *, takes_over: bool = False) -> _Start:
        """Wait until it serves or has ended, and end it if neither comes in time."""
        within = self._start_within + (0 if takes_over else self._kept.ready_within)
        serving, ending = map(asyncio.create_task, (run.serves(), _ended(run)))
        try:
            done, _ = await asyncio.wait(
                (serving, ending), timeout=within, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            serving.cancel()
            ending.cancel()
        if not done:
            log.error("a worker does not come to serve", extra={**run.name, "within_s": within})
            await run.end()
            return _Start.LATE
        if serving not in done:
            return _Start.ENDED
        self.served.set()
        return _Start.SERVES


async def _ended(run: Run) -> None:
    await run.process.wait()


def _ending_of(run: Run) -> Mapping[str, object]:
    return {**run.name, "exit_code": run.process.returncode}
