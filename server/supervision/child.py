"""Supervises one process: starts it, restarts it if it ends, and replaces it by a new one."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from enum import Enum, auto
from time import monotonic
from typing import NoReturn

from server.supervision.backoff import MAX_PAUSE, Backoff
from server.supervision.child_process import ChildProcess, ChildSpec

START_WITHIN_SECONDS = 30.0
"""How long a process may take to serve before it is ended; `ready_within` comes on top."""

log = logging.getLogger("server.workers")

EXITED = "worker exited"
CANNOT_START_YET = "worker cannot be started yet"
"""Messages of the log."""


class _Start(Enum):
    """What became of a process that was started."""

    READY = auto()
    ENDED = auto()
    LATE = auto()


class CannotStartError(Exception):
    """A process ended before it ever served; it has logged the reason itself."""


class Child:
    """Supervises one process, and knows whether it ever served."""

    def __init__(
        self,
        spec: ChildSpec,
        ask: Callable[["Child"], None],
        start_within: float = START_WITHIN_SECONDS,
    ) -> None:
        """Ask for replace() to be called if a run is unhealthy; each has so many seconds to serve."""
        self._spec = spec
        self._ask = ask
        self._start_within = start_within
        self._backoff = Backoff()
        self._runs: list[ChildProcess] = []
        # Held while another is started because the one before has ended or is to end.
        self._changing = asyncio.Lock()
        self.current: ChildProcess | None = None
        self.served = asyncio.Event()

    async def run(self, after: asyncio.Event | None = None) -> NoReturn:
        """Run it, after an event if there is one; restart it whenever it ends; end it when cancelled.

        Raises CannotStartError if it ends by itself in its first run, without having served.
        """
        if after:
            await after.wait()
        try:
            self.current = await self._start()
            if await self._await_ready(self.current) is _Start.ENDED:
                log.error("worker failed to start", extra=_exit_fields(self.current))
                raise CannotStartError
            while True:
                await self._watch(self.current)
        finally:
            await asyncio.gather(*(run.end() for run in self._runs))

    async def replace(self, run: ChildProcess) -> bool:
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
                log.exception("worker not replaced")
                return False
            if await self._await_ready(another, takes_over=True) is not _Start.READY:
                log.error("worker not replaced", extra=_exit_fields(another))
                return False
            self.current = another
        await run.drain()
        log.info("worker replaced", extra={**run.name, "replaced_by": dict(another.name)})
        return True

    async def _watch(self, run: ChildProcess) -> None:
        """Wait until it ends, and start another if it has not been replaced."""
        began = monotonic()
        looking = asyncio.create_task(self._watch_health(run, began))
        try:
            await run.process.wait()
        finally:
            looking.cancel()
        async with self._changing:
            if run is self.current:
                pause = self._backoff.after(monotonic() - began)
                log.error(EXITED, extra={**_exit_fields(run), "restart_in_s": pause})
                await asyncio.sleep(pause)
                self.current = await self._start_again()
                await self._await_ready(self.current)

    async def _start_again(self) -> ChildProcess:
        """Start another as soon as the system has room for it: processes, memory or descriptors."""
        while True:
            try:
                return await self._start()
            except OSError as error:
                pause = self._backoff.after(0)
                reason = {"reason": error.strerror, "retry_in_s": pause}
                log.error(CANNOT_START_YET, extra=reason)  # noqa: TRY400 - a traceback adds nothing
                await asyncio.sleep(pause)

    async def _watch_health(self, run: ChildProcess, began: float) -> NoReturn:
        while True:
            await run.wait_unhealthy()
            await asyncio.sleep(self._backoff.after(monotonic() - began))
            self._ask(self)
            await asyncio.sleep(MAX_PAUSE)

    async def _start(self, *, takes_over: bool = False) -> ChildProcess:
        run = await self._spec.start(takes_over=takes_over)
        self._runs = [run, *(run for run in self._runs if run.process.returncode is None)]
        return run

    async def _await_ready(self, run: ChildProcess, *, takes_over: bool = False) -> _Start:
        """Wait until it serves or has ended, and end it if neither comes in time."""
        within = self._start_within + (0 if takes_over else self._spec.ready_within)
        serving, ending = map(asyncio.create_task, (run.wait_ready(), _wait_exit(run)))
        try:
            done, _ = await asyncio.wait(
                (serving, ending), timeout=within, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            serving.cancel()
            ending.cancel()
        if not done:
            log.error("worker not ready in time", extra={**run.name, "timeout_s": within})
            await run.end()
            return _Start.LATE
        if serving not in done:
            return _Start.ENDED
        self.served.set()
        return _Start.READY


async def _wait_exit(run: ChildProcess) -> None:
    await run.process.wait()


def _exit_fields(run: ChildProcess) -> Mapping[str, object]:
    return {**run.name, "exit_code": run.process.returncode}
