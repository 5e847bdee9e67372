"""Python imports this as it starts, if the folder is on its path.

The process leaks once its own id stands in the file that LEAK_BY names.
"""

import os
import threading
import time
from pathlib import Path

_AT_ONCE = 4 << 20
_TIMES = 100
_leaked: list[bytearray] = []


def _wait_and_leak(file: Path) -> None:
    own = str(os.getpid())
    while not file.exists() or file.read_text() != own:
        time.sleep(0.05)
    while len(_leaked) < _TIMES:
        # Touched page by page, or it would be none of the process's memory.
        _leaked.append(bytearray(b"x") * _AT_ONCE)
        time.sleep(0.05)


threading.Thread(target=_wait_and_leak, args=(Path(os.environ["LEAK_BY"]),), daemon=True).start()
