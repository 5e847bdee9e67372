"""When Python's garbage collector runs: not for what is imported, for that stays.

Imports allocate hundreds of thousands of objects. To traverse them again and again, as the process
ends too, takes a quarter of the CPU of a command that does little else.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_IMPORTING, _RUNNING = 1_000_000, 20_000
"""After so many allocations the collector runs; by default it is 700."""


def spare_imports() -> None:
    """Let the collector hardly run until all is imported, which collect_only_new() tells it."""
    gc.set_threshold(_IMPORTING)


def collect_only_new() -> None:
    """Let the collector run again, but seldom, and not traverse what there is already."""
    gc.freeze()
    gc.set_threshold(_RUNNING, 20, 50)


def leave_start_alone() -> None:
    """Collect what a start has left over, and let the collector traverse only what comes after it."""
    gc.collect()
    collect_only_new()


@contextmanager
def imports_left_alone() -> Iterator[None]:
    """Keep the collector from what the block imports, for ever."""
    with gc_paused():
        yield
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
