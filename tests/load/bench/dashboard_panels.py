"""What a panel of Grafana's dashboard shows, asked of Prometheus as Grafana asks."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from tests.support.deploy.queries import fill_in

_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")

Query = Callable[[str], Iterable[Mapping[str, Any]]]
"""Evaluates an expression of PromQL over the time of the picture; returns Prometheus' series."""


class EmptyPanelError(Exception):
    """A query of a panel returns no series, or none with a number in it."""


@dataclass(frozen=True)
class Series:
    """A line of a panel: its name, and its values at Unix times, in seconds; NaN is a gap."""

    name: str
    times: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Panel:
    """What a panel shows; the unit is Grafana's name for it."""

    title: str
    unit: str
    series: tuple[Series, ...]


def read_panel(panel: Mapping[str, Any], query: Query) -> Panel:
    """Evaluate all queries of a panel; raises EmptyPanelError if one has nothing to show.

    Series that are 0 all the time are left out, unless the panel has no other.
    """
    title = panel["title"]
    series = [each for target in panel["targets"] for each in _read_target(title, target, query)]
    moving = [each for each in series if any(value > 0 for value in each.values)]
    return Panel(title, panel["fieldConfig"]["defaults"]["unit"], tuple(moving or series))


def name_series(legend: str, labels: Mapping[str, str]) -> str:
    """Put labels in a legend's places, as Grafana does: `{{code}}` becomes the label's value."""
    return _LABEL.sub(lambda label: labels.get(label[1], ""), legend)


def _read_target(title: str, target: Mapping[str, Any], query: Query) -> Iterator[Series]:
    expression = fill_in(target["expr"], interval="5s", job=".+")
    legend = target["legendFormat"]
    found = [_read(legend, series) for series in query(expression)]
    shown = [series for series in found if any(map(isfinite, series.values))]
    if not shown:
        raise EmptyPanelError(f"{title}, {legend}: no data for {expression}")
    yield from shown


def _read(legend: str, series: Mapping[str, Any]) -> Series:
    times, values = zip(*((moment, float(value)) for moment, value in series["values"]), strict=True)
    return Series(name_series(legend, series["metric"]), times, values)
