"""Ends this process where its event loop stands still, so that whoever keeps it starts it again."""

import asyncio
import faulthandler
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_PAT_SECONDS = 1.0


@asynccontextmanager
async def watched(stuck_seconds: float) -> AsyncIterator[None]:
    """Watch the loop while the block lasts: where it stands so long, the process ends.

    It prints where each thread is, and exits. What watches is a thread that needs no interpreter: it
    also ends one that a library holds.
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
