"""What a second thread of Envoy brings beside the server, which shares the machine's cores with it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median
from typing import Any

from tests.load.bench.contenders import Contender, Protocol, envoy_before, ours_grpc
from tests.load.bench.rounds import Cell, Rounds, Sample

_STARTS = 3
"""Processes of the same program differ by up to a sixth."""
_WORKERS = (1, 2)
# One connection has one thread.
_WAYS: dict[str, tuple[Protocol, dict[str, Any]]] = {
    "rest": ("http1", {}),
    "grpc": ("grpc", {"connections": 16}),
}
_COMPARED: dict[str, Callable[[Sample], float]] = {
    "two_threads": lambda sample: sample.measured.rate,
    "two_threads_cpu": lambda sample: sample.cpu_us,
    "two_threads_p99": lambda sample: sample.measured.p99_us,
}


def concurrency(rounds: Rounds) -> Iterator[tuple[str, float]]:
    """Compare two threads of Envoy with one, before the same server of one worker and of two.

    The lines are ratios of requests a second, of CPU a request, and of its p99.
    """
    for workers in _WORKERS:
        pairs: dict[str, list[list[Cell]]] = {way: [] for way in _WAYS}
        for number in range(_STARTS):
            rounds.progress(f"{workers} workers, start {number + 1} of {_STARTS}")
            for way, cells in _measure(rounds, workers):
                pairs[way].append(cells)
        for way, measured in pairs.items():
            for line, of in _COMPARED.items():
                yield f"{line}_vs_one_{way}_{workers}", _ratio(measured, of)


def _measure(rounds: Rounds, workers: int) -> Iterator[tuple[str, list[Cell]]]:
    """Start a server and both gateways anew, and measure these by turns."""
    world = rounds.world
    with (
        ours_grpc("server", world, workers=workers) as server,
        envoy_before(server, "one-thread", "http1", world, ENVOY_CONCURRENCY="1") as one,
        envoy_before(server, "two-threads", "http1", world, ENVOY_CONCURRENCY="2") as two,
    ):
        for way, (protocol, load) in _WAYS.items():
            yield way, rounds.measure([(_by(protocol, each), "warm") for each in (two, one)], **load)


def _by(protocol: Protocol, contender: Contender) -> Contender:
    return replace(contender, protocol=protocol)


def _ratio(measured: list[list[Cell]], of: Callable[[Sample], float]) -> float:
    """Compare within each round, and return the median of all starts."""
    pairs = [pair for cells in measured for pair in zip(*(it.samples for it in cells), strict=True)]
    return median(of(two) / of(one) for two, one in pairs)
