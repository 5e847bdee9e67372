"""Draws what the dashboard's panels show: four rows of three, below a strip that names the phases."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator

from tests.load.bench.dashboard_panels import Panel, Series

_COLUMNS = 3
_TICK_SECONDS = 30
_INCHES = (10.0, 11.5)
_DPI = 130
_GRID = {"left": 0.075, "right": 0.99, "top": 0.915, "bottom": 0.045, "wspace": 0.31, "hspace": 0.5}
_STRIP = (_GRID["left"], 0.95, _GRID["right"] - _GRID["left"], 0.045)
_LEFT_OF_TICKS = -0.22
_ROOM_FOR_NUMBERS = 1.15
_TROUBLED, _EVEN, _ODD = "#fbe3e4", "#f1f2f4", "#ffffff"
_GREY = "#5b6068"
_GOOD, _BAD, _CALLERS, _LATE = "#37872d", "#c4162a", "#e0a100", "#fa6400"
_COLOURS = {
    **dict.fromkeys(("OK", "ok", "2", "found", "cached"), _GOOD),
    **dict.fromkeys(("Unavailable", "5", "failed", "null", "breakers open"), _BAD),
    **dict.fromkeys(("Unauthenticated", "4", "token_invalid"), _CALLERS),
    **dict.fromkeys(("DeadlineExceeded", "timeout", "cancelled", "p99"), _LATE),
}
"""Of what is good or bad, the same in all panels; the other series take turns."""
_OTHERS = ("#1f60c4", "#8f3bb8", "#0a9396", "#7a5230", "#d0559b")


@dataclass(frozen=True)
class Band:
    """A phase of the run, between two Unix times, in seconds."""

    title: str
    begins: float
    ends: float
    troubled: bool = False


def draw(file: Path, panels: Sequence[Panel], bands: Sequence[Band]) -> None:
    """Draw the panels as a PNG, whose description is their titles, one a line."""
    figure = Figure(figsize=_INCHES)
    _draw_strip(figure.add_axes(_STRIP), bands)
    figure.subplots_adjust(**_GRID)
    rows = ceil(len(panels) / _COLUMNS)
    for place, panel in enumerate(panels, 1):
        _draw_panel(figure.add_subplot(rows, _COLUMNS, place), panel, bands)
    titles = "\n".join(panel.title for panel in panels)
    figure.savefig(file, dpi=_DPI, metadata={"Description": titles})


def humanize(value: float, unit: str) -> str:
    """Write a value in a unit of Grafana's, as on an axis; raises KeyError for another unit."""
    if unit == "s":
        return f"{value:g} s" if value >= 1 else f"{value * 1000:g} ms"
    scale, symbol = {"reqps": (1, " req/s"), "percentunit": (100, "%")}[unit]
    return f"{value * scale:g}{symbol}"


def colour_series(names: Sequence[str]) -> list[str]:
    """Choose a colour for each series of a panel."""
    others = cycle(_OTHERS)
    return [_COLOURS.get(name) or next(others) for name in names]


def _draw_strip(axes: Axes, bands: Sequence[Band]) -> None:
    """Name the phases, over the whole width."""
    _shade(axes, bands)
    for number, band in enumerate(bands, 1):
        middle = (band.begins + band.ends) / 2 - bands[0].begins
        axes.text(middle, 0.5, f"{number}  {band.title}", ha="center", va="center", fontsize=8)
    axes.set(yticks=[], xticks=[])
    axes.spines[:].set_visible(False)


def _draw_panel(axes: Axes, panel: Panel, bands: Sequence[Band]) -> None:
    _shade(axes, bands)
    _number(axes, bands)
    colours = colour_series([series.name for series in panel.series])
    for series, colour in zip(panel.series, colours, strict=True):
        _draw_line(axes, series, colour, bands[0].begins)
    axes.set_title(panel.title, fontsize=8.5, fontweight="bold", loc="left", x=_LEFT_OF_TICKS, pad=8)
    axes.set_ylim(0, axes.get_ylim()[1] * _ROOM_FOR_NUMBERS)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(lambda value, _: humanize(value, panel.unit))
    axes.xaxis.set_major_locator(MultipleLocator(_TICK_SECONDS))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value // 60:.0f}:{value % 60:02.0f}")
    axes.tick_params(labelsize=7.5, labelcolor=_GREY, color=_GREY, length=2)
    axes.grid(axis="y", alpha=0.35, linewidth=0.6)
    axes.spines[:].set_visible(False)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(_LEFT_OF_TICKS, -0.11),
        ncols=_COLUMNS,
        fontsize=7.5,
        frameon=False,
        borderaxespad=0.2,
        handlelength=1,
        columnspacing=1,
    )


def _draw_line(axes: Axes, series: Series, colour: str, origin: float) -> None:
    since = [moment - origin for moment in series.times]
    axes.plot(since, series.values, color=colour, label=series.name, linewidth=1.3)


def _shade(axes: Axes, bands: Sequence[Band]) -> None:
    origin = bands[0].begins
    for number, band in enumerate(bands):
        colour = _TROUBLED if band.troubled else (_EVEN, _ODD)[number % 2]
        axes.axvspan(band.begins - origin, band.ends - origin, color=colour, linewidth=0, zorder=0)
    axes.set_xlim(0, bands[-1].ends - origin)


def _number(axes: Axes, bands: Sequence[Band]) -> None:
    """Write each phase's number at the top of its band."""
    for number, band in enumerate(bands, 1):
        place = (band.begins + band.ends) / 2 - bands[0].begins, 0.98
        transform = axes.get_xaxis_transform()
        axes.text(
            *place, str(number), transform=transform, ha="center", va="top", fontsize=7, color=_GREY
        )
