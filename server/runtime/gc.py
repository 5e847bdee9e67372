"""Tunes Python's garbage collector for long-lived imports."""

import gc


def tune_gc() -> None:
    """Make it traverse what requests allocate, and not all that was imported each time."""
    gc.collect()
    gc.freeze()
