"""Waits for cancelled tasks to end, within a bound."""

import asyncio
import logging
from collections.abc import Collection
from typing import Any

MAX_END_SECONDS = 1.0
"""How long cancelled tasks may take to end before they are abandoned."""

log = logging.getLogger("server")


async def wait_for_end(tasks: Collection[asyncio.Task[Any]], kind: str) -> None:
    """Wait until tasks that were cancelled have ended; warn of those that have not in MAX_END_SECONDS.

    asyncio.gather() would wait for them for ever, even if it is cancelled itself.
    """
    if not tasks:
        return
    _, left = await asyncio.wait(tasks, timeout=MAX_END_SECONDS)
    if left:
        log.warning(
            "tasks ignore their cancellation and are abandoned", extra={"kind": kind, "tasks": len(left)}
        )
    for task in left:
        # Or asyncio would log each of them once more, when the loop is closed.
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001
