"""Counters and histograms for Prometheus, at 30 and 200 ns an observation.

Those of prometheus_client lock, which takes 400 and 1,000 ns, several times a request. Here the event
loop's thread alone observes, and the thread of a scrape reads.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

from prometheus_client import REGISTRY, Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds, of what takes milliseconds and must not take a second."""

Child = TypeVar("Child")


class Count:
    """A series of a counter: whoever counts adds to `value`."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Distribution:
    """A series of a histogram."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value in the first bucket whose bound is not below it."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Yield each bound, and how many values were not above it."""
        bounds = [*map(str, self._bounds), "+Inf"]
        return zip(bounds, accumulate(self.counts.copy()), strict=True)


class _Instrument(ABC, Generic[Child]):
    """A metric, and its series by the values of its labels. Series are made once, and kept."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str] = ()) -> None:
        self._name = name
        self._documentation = documentation
        self._labels = labels
        self._children: dict[tuple[str, ...], Child] = {}
        REGISTRY.register(self)

    @abstractmethod
    def _new(self) -> Child: ...

    @abstractmethod
    def collect(self) -> Iterator[Metric]:
        """Yield the metric, as prometheus_client writes it out."""

    def labels(self, *values: str) -> Child:
        """Return the series with these values, one for each label."""
        if values not in self._children:
            self._children[values] = self._new()
        return self._children[values]

    def _series(self) -> list[tuple[tuple[str, ...], Child]]:
        return list(self._children.items())


class Counter(_Instrument[Count]):
    """A counter; its name ends in `_total`."""

    def _new(self) -> Count:
        return Count()

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        for values, count in self._series():
            family.add_metric(values, count.value)
        yield family


class Histogram(_Instrument[Distribution]):
    """A histogram; its name ends in the unit."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str] = (),
        buckets: Sequence[float] = LATENCY_BUCKETS,
    ) -> None:
        self._bounds = buckets
        super().__init__(name, documentation, labels)

    def _new(self) -> Distribution:
        return Distribution(self._bounds)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        for values, distribution in self._series():
            family.add_metric(values, list(distribution.buckets()), distribution.total)
        yield family
