"""Tunes Python's garbage collector for what is many objects and stays."""

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

    Of a million objects it would each time traverse most of those that there are so far.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
