"""`make bench`: measures the service and its alternatives."""

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from tests.load.bench import scenarios
from tests.load.bench.calls import bench_calls
from tests.load.bench.concurrency import concurrency
from tests.load.bench.contenders import all_contenders, build
from tests.load.bench.dashboard import PICTURE, dashboard
from tests.load.bench.flood import flood
from tests.load.bench.lines import ratios
from tests.load.bench.metrics import metrics
from tests.load.bench.on_air import on_air, polled
from tests.load.bench.report import FOLDER, machine, plot, table, write_results
from tests.load.bench.rounds import Cell, Rounds
from tests.load.bench.tracing import tracing
from tests.load.bench.world import bench_world

_KEYS = ("hot", "warm", "spread")
_SCENARIOS = {
    "idle": scenarios.idle,
    "opaque": scenarios.opaque,
    "flood": flood,
    "metrics": metrics,
    "tracing": tracing,
    "stream": scenarios.stream,
    "on_air": on_air,
    "polled": polled,
    "tail": scenarios.tail,
    "process": scenarios.process,
    "concurrency": concurrency,
    "soak": scenarios.soak,
    "dashboard": dashboard,
}
_UNLESS_NAMED = {
    "concurrency": "four minutes of it: BENCH_ONLY=concurrency",
    "soak": "ten minutes of it: BENCH_ONLY=soak",
    "dashboard": "it measures nothing, and draws a picture: BENCH_ONLY=dashboard",
}


@dataclass(frozen=True)
class Plan:
    """What to measure, and for how long each time."""

    contenders: list[str]
    scenarios: list[str]
    seconds: float
    rounds: int


def main() -> None:
    """Measure what BENCH_ONLY names, or all of it, BENCH_ROUNDS times for BENCH_SECONDS."""
    plan = _plan(os.environ)
    FOLDER.mkdir(parents=True, exist_ok=True)
    click.echo(machine())
    build(plan.contenders)
    _say("100,000 calls are stored")
    with bench_world(bench_calls()) as world:
        rounds = Rounds(world, plan.rounds, plan.seconds, _say)
        cells = _throughput(rounds, plan.contenders)
        lines = dict(ratios(cells))
        for name in plan.scenarios:
            lines |= _SCENARIOS[name](rounds)
    _report(cells, lines)
    click.echo(f"\n{_written(plan)} in {FOLDER.relative_to(Path.cwd())}/")


def _plan(environment: Mapping[str, str]) -> Plan:
    known = all_contenders()
    if "go-grpc" not in known:
        click.echo("go-grpc, go-rest: left out, for there is no Go here")
    only = [name.strip() for name in environment.get("BENCH_ONLY", "").split(",") if name.strip()]
    for name in only:
        if name not in known and name not in _SCENARIOS:
            sys.exit(f"BENCH_ONLY: {name} is none of {', '.join([*known, *_SCENARIOS])}")
    if not only:
        for name, hint in _UNLESS_NAMED.items():
            click.echo(f"{name}: left out, {hint}")
        only = [name for name in [*known, *_SCENARIOS] if name not in _UNLESS_NAMED]
    return Plan(
        [name for name in known if name in only],
        [name for name in _SCENARIOS if name in only],
        float(environment.get("BENCH_SECONDS", "1.5")),
        int(environment.get("BENCH_ROUNDS", "5")),
    )


def _throughput(rounds: Rounds, names: list[str]) -> list[Cell]:
    """Start the contenders in turn, and measure them by turns."""
    known = all_contenders()
    with ExitStack() as stack:
        pairs = []
        for name in names:
            _say(f"{name} starts")
            contender = stack.enter_context(known[name](rounds.world))
            pairs += [(contender, keys) for keys in _keys_for(name)]
        return rounds.measure(pairs)


def _keys_for(contender: str) -> tuple[str, ...]:
    """Return the sets of keys that a contender is measured with: calls on air if it asks Stream."""
    if contender == "fastapi-stream":
        return ("on_air",)
    return (*_KEYS, "on_air") if contender.startswith(("ours", "embedded")) else _KEYS


def _report(cells: list[Cell], lines: dict[str, float]) -> None:
    _say("")
    if cells:
        click.echo(f"{table(cells)}\n")
        plot(FOLDER, cells)
    for name, value in lines.items():
        click.echo(f"{name}: {value:.3f}")
    write_results(FOLDER, cells, lines)


def _written(plan: Plan) -> str:
    """Name the files that a run has written."""
    pictures = {"plot.png": bool(plan.contenders), PICTURE: "dashboard" in plan.scenarios}
    return ", ".join(["results.json", *(name for name, drawn in pictures.items() if drawn)])


def _say(progress: str) -> None:
    """Print the progress, on a line that the next one overwrites on a terminal."""
    on_terminal = sys.stderr.isatty()
    click.echo(f"\r\033[K{progress}" if on_terminal else progress, nl=not on_terminal, err=True)


if __name__ == "__main__":
    main()
