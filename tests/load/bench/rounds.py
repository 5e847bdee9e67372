"""Measures contenders by turns, so that what else the machine does meets all of them alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeVar

import psutil

from tests.load.bench.contenders import Contender
from tests.load.bench.cpu import cpu_seconds
from tests.load.bench.generator import Load, Measured, run
from tests.load.bench.world import World

Progress = Callable[[str], None]
Place = TypeVar("Place")

_SHORT_SECONDS = 0.5


class LoadFailedError(Exception):
    """Requests failed, of which none may."""


@dataclass(frozen=True)
class Sample:
    """One measurement, and the CPU that it took, the database's included."""

    measured: Measured
    cpu_us: float
    """Microseconds a request."""


@dataclass(frozen=True)
class Cell:
    """All measurements of one contender with one set of keys."""

    contender: str
    keys: str
    samples: list[Sample]

    @property
    def rate(self) -> float:
        """Requests a second, the median of the rounds, as are the others."""
        return median(sample.measured.rate for sample in self.samples)

    @property
    def cpu_us(self) -> float:
        return median(sample.cpu_us for sample in self.samples)

    def latency_us(self, percentile: str) -> float:
        """Return `p50`, `p99` or `p999`."""
        latencies: list[int] = [getattr(each.measured, f"{percentile}_us") for each in self.samples]
        return median(latencies)


@dataclass(frozen=True)
class Rounds:
    """How to measure in a world: so many rounds, for so many seconds each time."""

    world: World
    count: int
    seconds: float
    progress: Progress

    def measure(self, pairs: Sequence[tuple[Contender, str]], **load: object) -> list[Cell]:
        """Measure each contender with its set of keys once a round; every round begins elsewhere."""
        cells = [Cell(contender.name, keys, []) for contender, keys in pairs]
        for number in range(self.count):
            for place in turned(range(len(pairs)), number):
                contender, keys = pairs[place]
                sample = self.once(contender, keys, **load)
                cells[place].samples.append(sample)
                said = f"{contender.name}, {keys}: {sample.measured.rate:,.0f} req/s"
                self.progress(f"round {number + 1} of {self.count}: {said}")
        return cells

    def once(self, contender: Contender, keys: str, **changes: object) -> Sample:
        """Measure once, after a load that does not count; raises if a request failed."""
        load = contender.load(self.world.keys[keys], self.seconds, **changes)
        # Short, but for calls on air: Stream has to be asked about each of them before they are polled.
        seconds = self.seconds if keys.endswith("on_air") else min(self.seconds, _SHORT_SECONDS)
        run(replace(load, seconds=seconds))
        pids = [*contender.pids, self.world.database_pid]
        before = cpu_seconds(pids)
        measured = run_well(load)
        return Sample(measured, (cpu_seconds(pids) - before) / measured.requests * 1e6)


def run_well(load: Load) -> Measured:
    """Put a load on; raises LoadFailedError if a request failed."""
    measured = run(load)
    if measured.failed:
        raise LoadFailedError(f"{measured.failed} requests failed, first: {measured.first_failure}")
    return measured


def ratio(cells: Sequence[Cell], of: Callable[[Sample], float]) -> float:
    """Compare two cells within each round; return the median."""
    mine, other = (cell.samples for cell in cells)
    return median(of(a) / of(b) for a, b in zip(mine, other, strict=True))


def ratio_of_rates(cells: Sequence[Cell]) -> float:
    """Compare two cells by requests a second within each round; return the median."""
    return ratio(cells, lambda sample: sample.measured.rate)


def memory_mb(contender: Contender) -> float:
    """Add up the resident memory of a contender's processes, in MiB."""
    return sum(psutil.Process(pid).memory_info().rss for pid in contender.pids) / 2**20


def turned(places: Sequence[Place], by: int) -> list[Place]:
    """Return the places in their order, beginning with another one in each round."""
    start = by % len(places) if places else 0
    return [*places[start:], *places[:start]]
