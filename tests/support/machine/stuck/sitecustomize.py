"""Python imports this as it starts, if the folder is on its path; it hangs when a file demands it.

The file holds `start`, `loop` or `interpreter`, and is removed: a restarted server does not hang.
"""

import asyncio
import ctypes
import gc
import os
import threading
import time
from pathlib import Path

LONG_SECONDS = 60


def _collect(generation: int = 2) -> int:
    """Replace the last step of a server's start, in its loop."""
    loop, file = asyncio.get_running_loop(), Path(os.environ["GET_STUCK_BY"])
    if file.exists() and file.read_text() == "start":
        file.unlink()
        time.sleep(LONG_SECONDS)
    threading.Thread(target=_wait_for, args=(loop, file), daemon=True).start()
    return 0


def _wait_for(loop: asyncio.AbstractEventLoop, file: Path) -> None:
    while not file.exists() or not (what := file.read_text()):
        time.sleep(0.02)
    file.unlink()
    if what == "loop":
        loop.call_soon_threadsafe(time.sleep, LONG_SECONDS)
    else:
        # Like a library that does not release the interpreter lock.
        ctypes.PyDLL(None).sleep(LONG_SECONDS)


gc.collect = _collect
