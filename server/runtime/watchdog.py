"""Ends this process if its event loop is blocked, so that its supervisor restarts it."""

import asyncio
import faulthandler
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_PAT_SECONDS = 1.0


@asynccontextmanager
async def watch_loop(stuck_seconds: float) -> AsyncIterator[None]:
    """Watch the loop while the block lasts: if it is blocked so long, the process ends.

    It prints each thread's traceback, and exits. The watching thread needs no interpreter lock: it also
    ends a process in which a library holds that.
    """
    patting = asyncio.create_task(_pat(stuck_seconds))
    try:
        yield
    finally:
        patting.cancel()
        faulthandler.cancel_dump_traceback_later()


async def _pat(stuck_seconds: float) -> None:
    while True:
        faulthandler.dump_traceback_later(stuck_seconds, exit=True)
        await asyncio.sleep(_PAT_SECONDS)
