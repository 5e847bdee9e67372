"""A flood of junk tokens, and its effect on callers with a valid one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from threading import Thread

from tests.load.bench.contenders import ours_grpc
from tests.load.bench.generator import Load, run
from tests.load.bench.issuers import opaque_issuer_running
from tests.load.bench.rounds import Rounds, run_well

_ROUNDS = 3
_RATE = 500
"""Good calls a second, and as many with junk."""
_WARM_UP = 2
_SECONDS = 20
"""So long do 10,000 junk tokens last."""


def flood(rounds: Rounds) -> Iterator[tuple[str, float]]:
    """Compare the p99 of good callers in a flood of different junk tokens with that without it."""
    world = rounds.world
    with (
        opaque_issuer_running(world.folder / "flooded-tokens") as issuer,
        ours_grpc("flooded", replace(world, issuer=issuer)) as flooded,
    ):
        good = flooded.load(world.keys["warm"], _SECONDS, rate=_RATE, warm_up=_WARM_UP)
        ratios = []
        for number in range(1, _ROUNDS + 1):
            quiet = run_well(good).p99_us
            with _junk_beside(good, f"junk-{number}-"):
                in_flood = run_well(good).p99_us
            rounds.progress(f"round {number} of {_ROUNDS}: p99 {quiet:,} µs, in a flood {in_flood:,} µs")
            ratios.append(in_flood / quiet)
    yield "flood_p99_vs_quiet", median(ratios)


@contextmanager
def _junk_beside(good: Load, prefix: str) -> Iterator[None]:
    """Put junk on the server for as long as the good load in the block takes."""
    junk = replace(good, token=None, fresh_tokens=prefix)
    thread = Thread(target=run, args=(junk,))
    thread.start()
    try:
        yield
    finally:
        thread.join()
