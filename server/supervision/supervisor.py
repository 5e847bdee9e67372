"""Supervises processes until asked to stop, and replaces them one after the other.

Nothing is imported here that they need: this process stays small, and gRPC does not survive a fork.
"""

import asyncio
import logging
import signal
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, NoReturn

from server.supervision.child import START_WITHIN_SECONDS, Child
from server.supervision.child_process import ChildProcess, ChildSpec

log = logging.getLogger("server.workers")


async def supervise(processes: Sequence[ChildSpec], start_within: float = START_WITHIN_SECONDS) -> None:
    """Supervise processes until SIGTERM or SIGINT; then end them all, each with its grace.

    SIGHUP has all of them replaced. Each may take so many seconds until it serves.
    Raises CannotStartError if one ends in its first run without having served.
    """
    rolling = _Rolling()
    children = [Child(each, rolling.ask_for, start_within) for each in processes]
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, rolling.ask_for_all, children)
    first, *others = children
    # One goes ahead, so that what is wrong with the settings of all is reported once.
    runs = [first.run(), *(other.run(after=first.served) for other in others)]
    await run_until((signal.SIGINT, signal.SIGTERM), rolling.roll(), *runs)


async def run_until(signals: Iterable[signal.Signals], *runs: Coroutine[Any, Any, object]) -> None:
    """Run until one of the signals, or until the first has ended; then cancel all, and let them end.

    Raises what that one has raised.
    """
    stop_requested = asyncio.Event()
    for number in signals:
        asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
    tasks = [asyncio.create_task(each) for each in (stop_requested.wait(), *runs)]
    (ended, *_), _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping the workers")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    ended.result()


class _Rolling:
    """Replaces the runs that are requested, one after the other."""

    def __init__(self) -> None:
        self._asked: asyncio.Queue[tuple[Child, ChildProcess]] = asyncio.Queue()

    def ask_for_all(self, children: Iterable[Child]) -> None:
        log.info("replacing the workers")
        for child in children:
            self.ask_for(child)

    def ask_for(self, child: Child) -> None:
        """Request the current run's replacement; there is nothing to replace if none has started."""
        if child.current:
            self._asked.put_nowait((child, child.current))

    async def roll(self) -> NoReturn:
        """Replace; if one cannot be, the others that wait would not fare better and go on too."""
        while True:
            child, run = await self._asked.get()
            if not await child.replace(run):
                self._asked = asyncio.Queue()
