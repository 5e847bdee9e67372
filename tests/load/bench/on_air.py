"""Calls on air at a Stream that is far away: what their callers wait for, and how often it is asked."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from statistics import median
from time import monotonic

from demo.ports import free_ports
from tests.load.bench.contenders import Contender, ours_grpc
from tests.load.bench.rounds import Rounds, ratio, run_well, turned
from tests.support.callers.metrics import scrape

Lines = Iterator[tuple[str, float]]

_STATUSES = "livecalls_live_statuses_total{"
_NULL = _STATUSES + 'outcome="null"}'
_TAIL_SHARE = 0.5
_WORKERS = sorted({1, os.cpu_count() or 1, 4})


def on_air(rounds: Rounds) -> Lines:
    """Compare a Stream that is far away with a near one, and questions in bulk with single ones."""
    world = rounds.world
    with (
        ours_grpc("bulk", world) as bulk,
        ours_grpc("single", replace(world, more_settings={"STREAM_BULK": "off"})) as single,
    ):
        yield from _hot_tail(rounds, bulk)
        with world.distant_stream():
            cells = rounds.measure([(bulk, "on_air"), (single, "on_air")], in_flight=1)
    yield "lone_live_latency", ratio(cells, lambda sample: sample.measured.p50_us)
    yield "lone_live_p50_us", cells[0].latency_us("p50")


def _hot_tail(rounds: Rounds, contender: Contender) -> Lines:
    """Poll one call at half of the peak rate, of one server by turns: two processes are never alike."""
    streams: dict[str, Callable[[], AbstractContextManager[None]]] = {
        "near": nullcontext,
        "far": rounds.world.distant_stream,
    }
    rate = _TAIL_SHARE * rounds.measure([(contender, "hot")])[0].rate
    ratios = []
    for number in range(2 * rounds.count):
        p99 = {}
        for place in turned(list(streams), number):
            with streams[place]():
                p99[place] = rounds.once(contender, "hot", rate=rate).measured.p99_us
        rounds.progress(f"round {number + 1}: p99 {p99['near']:,} µs, with Stream far {p99['far']:,} µs")
        ratios.append(p99["far"] / p99["near"])
    yield "hot_p99_slow_stream", median(ratios)
    yield "hot_rate", rate


def polled(rounds: Rounds) -> Lines:
    """Count the requests to Stream while calls on air are polled, by servers of some workers.

    A server that gives up sends few, too: so the highest share of statuses that were null is a line.
    """
    null_shares = []
    for workers in _WORKERS:
        name = "stream_requests_per_second" + (f"_{workers}_workers" if workers > 1 else "")
        ports = free_ports(workers)
        world = replace(rounds.world, more_settings={"METRICS_PORT": str(ports[0])})
        with (
            ours_grpc(f"polled-{workers}", world, workers=workers) as contender,
            world.distant_stream(),
        ):
            yield name, _stream_requests(rounds, contender, "on_air")
            if workers == 1:
                yield f"{name}_few", _stream_requests(rounds, contender, "few_on_air")
            null_shares.append(_null_share(ports))
    yield "polled_null_share", max(null_shares)


def _stream_requests(rounds: Rounds, contender: Contender, keys: str) -> float:
    """Count a second's requests, for as long as all rounds take together."""
    rounds.progress(f"{contender.name}, {keys}")
    load = contender.load(rounds.world.keys[keys], rounds.count * rounds.seconds)
    # As long as it takes until each call has been asked about, with a Stream that is far away.
    run_well(load)
    before, began = rounds.world.stream_requests, monotonic()
    run_well(load)
    return (rounds.world.stream_requests - before) / (monotonic() - began)


def _null_share(ports: Iterable[int]) -> float:
    """Return which share of the live statuses that workers have been asked for was null."""
    statuses: Counter[str] = Counter()
    for series in map(scrape, ports):
        statuses.update({name: int(series[name]) for name in series if name.startswith(_STATUSES)})
    return statuses[_NULL] / statuses.total()
