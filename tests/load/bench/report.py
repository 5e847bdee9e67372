"""The output of the bench: a table, a file of results, and a plot."""

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
from matplotlib import colormaps
from matplotlib.figure import Figure

from tests.load.bench.rounds import Cell

FOLDER = Path(__file__).parents[3] / ".build" / "bench"
"""What a run leaves."""
_HEADS = ("contender", "keys", "req/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs/request")


def table(cells: list[Cell]) -> str:
    """Write the cells as a table in Markdown."""
    rows = [_HEADS, ("---",) * 2 + ("---:",) * 5, *map(_row, cells)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(cell: Cell) -> tuple[str, ...]:
    latencies = (f"{cell.latency_us(name) / 1000:.2f}" for name in ("p50", "p99", "p999"))
    return (cell.contender, cell.keys, f"{cell.rate:,.0f}", *latencies, f"{cell.cpu_us:,.0f}")


def machine() -> str:
    """Describe what was measured on."""
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()}"
    python = f"Python {platform.python_version()}"
    return f"{psutil.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {system}, {python}"


def _processor() -> str:
    names = (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name"))
    return next(names, platform.machine())


def _cpuinfo() -> Iterator[str]:
    file = Path("/proc/cpuinfo")
    return iter(file.read_text().splitlines() if file.exists() else ())


def write_results(folder: Path, cells: list[Cell], lines: dict[str, float]) -> None:
    """Write `results.json`: every sample, and the lines."""
    results = {"machine": machine(), "lines": lines, "cells": [asdict(cell) for cell in cells]}
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")


def plot(folder: Path, cells: list[Cell]) -> None:
    """Draw `plot.png`: throughput against tail latency, contenders by colour and keys by shape."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    palette = colormaps["tab20"]
    colours = {name: palette(number) for number, name in enumerate(_names(cells, "contender"))}
    marks = dict(zip(_names(cells, "keys"), "o^sDP", strict=False))
    for cell in cells:
        place = cell.rate, cell.latency_us("p99") / 1000
        axes.scatter(*place, color=colours[cell.contender], marker=marks[cell.keys], s=60)
    for name, colour in colours.items():
        axes.scatter([], [], color=colour, marker="s", label=name)
    for name, mark in marks.items():
        axes.scatter([], [], color="black", marker=mark, label=f"keys: {name}")
    axes.legend()
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="requests a second (more is better)",
        ylabel="99th percentile of latency, ms (less is better)",
        title="64 requests under way",
    )
    axes.grid(visible=True, which="both", alpha=0.3)
    figure.savefig(folder / "plot.png", dpi=120)


def _names(cells: list[Cell], of: str) -> list[str]:
    return list(dict.fromkeys(getattr(cell, of) for cell in cells))
