"""What a process of this project does first, before it imports what takes long."""

import os
import signal
import sys

from machine.gc import spare_imports


def begin(*, serves: bool) -> None:
    """Open closed standard streams, and if it serves, end by a signal with exit code 0.

    What is imported next is spared Python's garbage collector, until collect_only_new().
    A file that is opened gets the number of a stream that was closed, and all that libraries write
    there with it. As PID 1, a process ignores a signal until it handles it.
    """
    spare_imports()
    for number in range(3):
        _open_if_closed(number)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    if serves:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))


def _open_if_closed(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        # The lowest that is free is this one; processes that it starts have it, too.
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - takes no name
