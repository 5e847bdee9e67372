"""Tunes Python's garbage collector for long-lived imports."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def tune_gc() -> None:
    """Make it traverse what requests allocate, and not all that was imported each time."""
    gc.collect()
    gc.freeze()


@contextmanager
def gc_paused() -> Iterator[None]:
    """Keep it from traversing again and again what the block makes and does not let go of.

    A block may make a million objects, of which it would traverse all that there are so far ten times.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
