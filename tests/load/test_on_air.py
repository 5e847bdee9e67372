"""The bench's loads of calls on air: each line is made, here of one server in a small world."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice

import pytest

from demo.ports import free_port
from tests.load.bench import on_air, scenarios
from tests.load.bench import rounds as rounds_module
from tests.load.bench.calls import bench_calls
from tests.load.bench.contenders import Contender, ours_grpc
from tests.load.bench.generator import GeneratorError, Load, Measured, run
from tests.load.bench.rounds import Rounds, Sample
from tests.load.bench.world import World, bench_world

pytestmark = pytest.mark.usefixtures("_built")
WORKERS = {1, os.cpu_count() or 1, 4}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with bench_world(islice(bench_calls(), 1000)) as world:
        yield world


@pytest.fixture(scope="module")
def metrics_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def contender(world: World, metrics_port: int) -> Iterator[Contender]:
    with_metrics = replace(world, more_settings={"METRICS_PORT": str(metrics_port)})
    with ours_grpc("ours", with_metrics) as contender:
        yield contender


@pytest.fixture
def rounds(world: World) -> Rounds:
    return Rounds(world, 1, 0.1, lambda _: None)


@dataclass
class Started:
    """Who was started, and how late Stream was in the loads put on them."""

    workers: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Mapping[str, str]] = field(default_factory=dict)
    latencies: set[float] = field(default_factory=set)


@pytest.fixture
def started(world: World, contender: Contender, monkeypatch: pytest.MonkeyPatch) -> Started:
    """Have one server take the part of all that are started."""
    started = Started()

    def ours(name: str, world: World, *, workers: int = 1) -> AbstractContextManager[Contender]:
        started.workers[name] = workers
        started.settings[name] = world.more_settings
        return nullcontext(replace(contender, name=name))

    def run_noting_latency(load: Load) -> Measured:
        started.latencies.add(world.stand_in.latency_seconds)
        return _run_until_answered(load)

    for module in (on_air, scenarios):
        monkeypatch.setattr(module, "ours_grpc", ours)
    monkeypatch.setattr(rounds_module, "run", run_noting_latency)
    return started


def _run_until_answered(load: Load) -> Measured:
    """Put a load on; a longer one if a busy machine lets no request end within it."""
    while True:
        try:
            return run(load)
        except GeneratorError as error:
            if "no request ended" not in str(error):
                raise
            load = replace(load, seconds=2 * load.seconds)


def test_a_stream_that_is_far_away_is_compared_with_a_near_one(
    rounds: Rounds, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []

    def once(rounds: Rounds, contender: Contender, keys: str, **load: object) -> Sample:
        is_far = rounds.world.stand_in.latency_seconds == 0.08
        loads.append((contender.name, keys, is_far, load))
        p50, p99 = 800 if contender.name == "bulk" else 1000, 3000 if is_far else 2000
        return Sample(Measured(100, 0, 1.0, 600.0, 1.0, p50, p99, p99, p99, None), 1.0)

    monkeypatch.setattr(Rounds, "once", once)
    assert dict(on_air.on_air(rounds)) == {
        "hot_p99_slow_stream": 1.5,
        "hot_rate": 300,
        "lone_live_latency": 0.8,
        "lone_live_p50_us": 800,
    }
    assert loads == [
        ("bulk", "hot", False, {}),
        ("bulk", "hot", False, {"rate": 300}),
        ("bulk", "hot", True, {"rate": 300}),
        ("bulk", "hot", True, {"rate": 300}),
        ("bulk", "hot", False, {"rate": 300}),
        ("bulk", "on_air", True, {"in_flight": 1}),
        ("single", "on_air", True, {"in_flight": 1}),
    ]
    assert started.settings == {"bulk": {}, "single": {"STREAM_BULK": "off"}}
    assert rounds.world.stand_in.latency_seconds == 0


def test_requests_to_stream_are_counted_for_each_number_of_workers(
    rounds: Rounds, started: Started, metrics_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_air, "free_ports", lambda _: range(metrics_port, metrics_port + 1))
    lines = dict(on_air.polled(rounds))
    more = {f"stream_requests_per_second_{number}_workers" for number in WORKERS - {1}}
    assert set(lines) == {
        "stream_requests_per_second",
        "stream_requests_per_second_few",
        "polled_null_share",
        *more,
    }
    assert 0 <= lines["polled_null_share"] < 1
    assert set(started.workers.values()) == WORKERS
    assert started.latencies == {0.08}


def test_the_share_of_unknown_statuses_is_that_of_all_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    name = 'livecalls_live_statuses_total{{outcome="{}"}}'.format
    series = [
        {name("cached"): 5.0, name("fetched"): 3.0, name("null"): 0.0, "process_open_fds": 8.0},
        {name("cached"): 0.0, name("fetched"): 1.0, name("null"): 1.0},
    ]
    monkeypatch.setattr(on_air, "scrape", lambda port: series[port])
    assert on_air._null_share(range(2)) == 0.1


def test_requests_about_one_call_and_about_many_count_alike(world: World) -> None:
    before = world.stream_requests
    world.stand_in.requests["livestream", "some"] += 2
    world.stand_in.queries.append(("livestream:some", "livestream:other"))
    assert world.stream_requests - before == 3


def test_the_soak_has_calls_on_air(
    rounds: Rounds, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenarios, "_MINUTE_SECONDS", 0.1)
    only = {"tenth_on_air": rounds.world.keys["tenth_on_air"]}
    lines = dict(scenarios.soak(replace(rounds, world=replace(rounds.world, keys=only))))
    assert {f"soak_{name}_last_minutes" for name in ("rss_mb", "open_files", "p50_us", "p99_us")} < set(
        lines
    )
    assert started.latencies == {0.08}
