"""Spares Python's collector of garbage what it would find over and over."""

import gc

_ALLOCATIONS_UNTIL_COLLECTED = 20_000


def spare_the_collector() -> None:
    """Let it look at what requests make, not each time at all that was imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_UNTIL_COLLECTED, 20, 50)
