"""The standard output of a command that could not write to it."""

import os
import sys


def discard_unwritten() -> None:
    """Have what is still buffered go nowhere: Python tries to write it once more as it ends.

    It would report that in words of its own, and end with the exit code 120.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
