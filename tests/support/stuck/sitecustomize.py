"""Python imports this as it starts, where the folder is on its path; it gets stuck when a file says so.

The file holds `start`, `loop` or `interpreter`, and is taken away: whoever is started again is well.
"""

import asyncio
import ctypes
import gc
import os
import threading
import time
from pathlib import Path

LONG_SECONDS = 60


def _freeze() -> None:
    """Stand in for what a server does last as it starts, in its loop."""
    waiting = (asyncio.get_running_loop(), file := Path(os.environ["GET_STUCK_BY"]))
    if file.exists() and file.read_text() == "start":
        file.unlink()
        time.sleep(LONG_SECONDS)
    threading.Thread(target=_wait_for, args=waiting, daemon=True).start()


def _wait_for(loop: asyncio.AbstractEventLoop, file: Path) -> None:
    while not file.exists() or not (what := file.read_text()):
        time.sleep(0.02)
    file.unlink()
    if what == "loop":
        loop.call_soon_threadsafe(time.sleep, LONG_SECONDS)
    else:
        # As a library does that forgets to let others run.
        ctypes.PyDLL(None).sleep(LONG_SECONDS)


gc.freeze = _freeze
