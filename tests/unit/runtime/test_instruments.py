"""Our own counters and histograms, held against those of prometheus_client."""

from collections.abc import Iterator

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from server.runtime import instruments
from server.runtime.instruments import Counter, Histogram

BOUNDS = (0.0, 0.5, 1.0, 2.5)
LABELS = ("kind", "outcome")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[CollectorRegistry]:
    registry = CollectorRegistry(auto_describe=True)
    monkeypatch.setattr(instruments, "REGISTRY", registry)
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs
    yield registry
    prometheus_client.enable_created_metrics()  # type: ignore[no-untyped-call]  # theirs


def test_a_counter_is_written_as_prometheus_client_s(registry: CollectorRegistry) -> None:
    ours, other = Counter("some_total", "Some \\ text.", LABELS), CollectorRegistry()
    theirs = prometheus_client.Counter("some_total", "Some \\ text.", LABELS, registry=other)
    for values in (("a", 'quo"ted'), ("b", ""), ("a", 'quo"ted')):
        ours.labels(*values).value += 1
        theirs.labels(*values).inc()
    assert generate_latest(registry) == generate_latest(other)


@pytest.mark.usefixtures("registry")
@given(values=st.lists(st.sampled_from((*BOUNDS, 0.2, 1.00001, 7.0)) | st.floats(0, 10)))
def test_a_histogram_counts_as_prometheus_client_s(values: list[float]) -> None:
    ours = Histogram.__new__(Histogram)  # its name would be taken the second time
    ours.__dict__ = {"_bounds": BOUNDS}
    mine = ours._new()
    theirs = prometheus_client.Histogram("some_seconds", "", buckets=BOUNDS, registry=None)
    for value in values:
        mine.observe(value)
        theirs.observe(value)
    (metric,) = theirs.collect()
    buckets = [(each.labels["le"], each.value) for each in metric.samples if "le" in each.labels]
    assert list(mine.buckets()) == buckets
    assert mine.total == next(s.value for s in metric.samples if s.name == "some_seconds_sum")


def test_a_histogram_is_written_as_prometheus_client_s(registry: CollectorRegistry) -> None:
    ours, other = Histogram("some_seconds", "Some.", LABELS, BOUNDS), CollectorRegistry()
    theirs = prometheus_client.Histogram("some_seconds", "Some.", LABELS, buckets=BOUNDS, registry=other)
    for value in (0.1, 0.7, 3.0):
        ours.labels("a", "b").observe(value)
        theirs.labels("a", "b").observe(value)
    assert generate_latest(registry) == generate_latest(other)


@pytest.mark.usefixtures("registry")
def test_a_series_is_kept() -> None:
    counter = Counter("some_total", "", LABELS)
    assert counter.labels("a", "b") is counter.labels("a", "b")


@pytest.mark.usefixtures("registry")
def test_a_name_is_given_once() -> None:
    Counter("some_total", "")
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        Histogram("some", "")
