"""What Prometheus scrapes: each series as it is written, and its value."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import REGISTRY, generate_latest

from demo.readiness import wait_until
from tests.support.callers.rest import ask

Series = dict[str, float]

_COUNTED = ("_total", "_count")
# They change by themselves.
_OF_THE_PROCESS = ("process_", "python_", "livecalls_event_loop_lag")


def scrape(port: int) -> Series:
    """Read the metrics that a worker serves."""
    reply = ask(f"http://127.0.0.1:{port}", "GET", "/metrics")
    assert (reply.status, reply.header("content-type")) == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
    )
    return _parse(reply.body)


def own_metrics() -> Series:
    """Read those of the test's own process."""
    return _parse(generate_latest(REGISTRY))


@contextmanager
def growing(grown: Mapping[str, float], read: Callable[[], Series] = own_metrics) -> Iterator[None]:
    """Expect that the block makes these counters grow, and no other; what is recorded may come later."""
    before = read()
    yield
    assert wait_until(lambda: _growth(before, read()) == grown, 5), _growth(before, read())


def _growth(before: Series, after: Series) -> Series:
    return {
        series: value - before.get(series, 0)
        for series, value in after.items()
        if series.partition("{")[0].endswith(_COUNTED)
        and not series.startswith(_OF_THE_PROCESS)
        and value != before.get(series, 0)
    }


def _parse(text: bytes) -> Series:
    lines = (line for line in text.decode().splitlines() if not line.startswith("#"))
    return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}
