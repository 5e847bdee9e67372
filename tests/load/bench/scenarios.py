"""What is measured besides throughput, each a line `name: value` or a few."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from statistics import median
from time import monotonic, sleep

import psutil
import psycopg

from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn
from tests.load.bench.contenders import (
    Contender,
    embedded,
    one_select,
    ours_grpc,
    ours_through_envoy,
)
from tests.load.bench.issuers import opaque_issuer_running
from tests.load.bench.rounds import Rounds, memory_mb, ratio, ratio_of_rates, run_well
from tests.load.bench.world import World
from tests.support.stand_ins.stream import KEY, SECRET

Lines = Iterator[tuple[str, float]]

# PostgreSQL counts what a connection has done when that has rested for so long.
_COUNTED_SECONDS = 11
_STARTS = 5
_TAIL_SHARE = 0.5
_SOAK_SHARE = 0.7
_SOAK_MINUTES = 10
_MINUTE_SECONDS = 60.0


def idle(rounds: Rounds) -> Lines:
    """Compare a lone caller's latency with that if each request has a SELECT of its own."""
    with ours_grpc("ours-grpc", rounds.world) as ours, one_select(rounds.world) as plain:
        twice = replace(rounds, count=2 * rounds.count)
        cells = twice.measure([(ours, "warm"), (plain, "warm")], in_flight=1)
    yield "idle_latency", ratio(cells, lambda sample: sample.measured.p50_us)
    yield "idle_p50_us", cells[0].latency_us("p50")


def opaque(rounds: Rounds) -> Lines:
    """Compare opaque tokens, which the server has introspected and cached, with signed ones."""
    world = rounds.world
    with (
        opaque_issuer_running(world.folder / "opaque-tokens") as issuer,
        ours_grpc("opaque", replace(world, issuer=issuer)) as asking,
        ours_grpc("jwt", world) as verifying,
    ):
        twice = replace(rounds, count=2 * rounds.count)
        cells = twice.measure([(asking, "warm"), (verifying, "warm")])
    yield "opaque_vs_jwt", ratio_of_rates(cells)


def stream(rounds: Rounds) -> Lines:
    """Let Stream hang, and count the SELECTs while it is healthy."""
    world = rounds.world
    with ExitStack() as stack:
        hanging = StreamStandIn(KEY, SECRET, behaviour=Behaviour.HANG)
        url = stack.enter_context(serve_in_thread(hanging))
        well = stack.enter_context(ours_grpc("well", world))
        hung = stack.enter_context(ours_grpc("hung", world, stream_url=url))
        rounds.progress("the first second of a Stream that hangs")
        first = run_well(hung.load(world.keys["few_on_air"], 1.0))
        yield "hung_stream_first_p99_ms", first.p99_us / 1000
        rounds.progress("until the breaker is open")
        run_well(hung.load(world.keys["few_on_air"], 2.0))
        both = rounds.measure([(hung, "warm"), (well, "warm")])
        yield "hung_stream_throughput", ratio_of_rates(both)
        yield from _selects(rounds, well)


def _selects(rounds: Rounds, contender: Contender) -> Lines:
    rounds.progress("how many SELECTs share a request")
    sleep(_COUNTED_SECONDS)
    before = _transactions(rounds.world)
    measured = run_well(contender.load(rounds.world.keys["warm"], 5))
    sleep(_COUNTED_SECONDS)
    yield "selects_per_request", (_transactions(rounds.world) - before) / measured.requests


def tail(rounds: Rounds) -> Lines:
    """Compare the tails of both ways, by gRPC through Envoy, at half of the standalone server's peak."""
    world = rounds.world
    with (
        ours_through_envoy("standalone", "grpc", world) as standalone,
        embedded("embedded", "grpc", world) as within,
    ):
        rate = _TAIL_SHARE * run_well(standalone.load(world.keys["warm"], 3, warm_up=1)).rate
        cells = rounds.measure([(within, "warm"), (standalone, "warm")], rate=rate)
    yield "embedded_p99_vs_standalone", ratio(cells, lambda sample: sample.measured.p99_us)
    yield "tail_rate", rate


def process(rounds: Rounds) -> Lines:
    """Measure how soon a server responds, and its memory once it has worked."""
    starts, memory = [], 0.0
    for number in range(_STARTS):
        began = monotonic()
        with ours_grpc("start", rounds.world) as started:
            starts.append((monotonic() - began) * 1000)
            rounds.progress(f"start {number + 1} of {_STARTS}: {starts[-1]:,.0f} ms")
            if number == _STARTS - 1:
                run_well(started.load(rounds.world.keys["spread"], 5))
                memory = memory_mb(started)
    yield "rss_mb_per_worker", memory
    yield "start_ms", median(starts)


def soak(rounds: Rounds) -> Lines:
    """Work at 70 % of the peak for ten minutes, and compare the last ones with the second.

    A tenth of the calls are on air, at a Stream that is far away.
    """
    with ours_grpc("soak", rounds.world) as ours, rounds.world.distant_stream():
        keys = "tenth_on_air"
        rate = _SOAK_SHARE * rounds.measure([(ours, keys)])[0].rate
        minutes = []
        for number in range(_SOAK_MINUTES):
            measured = run_well(ours.load(rounds.world.keys[keys], _MINUTE_SECONDS, rate=rate))
            files = psutil.Process(ours.pids[0]).num_fds()
            minutes.append((memory_mb(ours), files, measured.p50_us, measured.p99_us))
            rounds.progress(
                "minute {}: {:.1f} MB, {} files, p50 {} µs, p99 {} µs".format(number + 1, *minutes[-1])
            )
    yield "soak_rate", rate
    for place, name in enumerate(("rss_mb", "open_files", "p50_us", "p99_us")):
        yield f"soak_{name}_second_minute", minutes[1][place]
        yield f"soak_{name}_last_minutes", median(minute[place] for minute in minutes[-3:])


def _transactions(world: World) -> int:
    with psycopg.connect(world.postgres.url) as connection:
        row = connection.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert row
    return int(row[0])
