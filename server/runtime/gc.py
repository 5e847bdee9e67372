"""Tunes Python's garbage collector for long-lived imports."""

import gc

_ALLOCATIONS_UNTIL_COLLECTED = 20_000


def tune_gc() -> None:
    """Make it traverse what requests allocate, and not all that was imported each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_UNTIL_COLLECTED, 20, 50)
