"""The picture of the dashboard: how it reads panels, and what it draws."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.load.bench.dashboard_panels import EmptyPanelError, Panel, Series, name_series, read_panel
from tests.load.bench.dashboard_picture import Band, colour_series, draw, humanize
from tests.support.deploy.queries import panels

PICTURE = Path(__file__).parents[2] / "docs" / "operations" / "dashboard.png"
MAX_BYTES = 400_000


def series(*values: str, **labels: str) -> Mapping[str, Any]:
    """Make a series as Prometheus returns it."""
    return {"metric": labels, "values": [[1000.0 + number, each] for number, each in enumerate(values)]}


def read(*found: Mapping[str, Any]) -> Panel:
    """Read the panel of requests by status, for whose query these are found."""
    return read_panel(panels()[0], lambda _: found)


def description(file: Path) -> list[str]:
    with Image.open(file) as image:
        return str(image.info["Description"]).splitlines()


def test_a_panel_is_read_as_grafana_would() -> None:
    asked = []

    def query(expression: str) -> list[Mapping[str, Any]]:
        asked.append(expression)
        return [series("1", "NaN", "2.5", grpc_code="OK")]

    panel = read_panel(panels()[0], query)
    [expression] = asked
    assert 'job=~".+"' in expression
    assert expression.endswith("[5s]))")
    assert (panel.title, panel.unit) == ("Requests by status", "reqps")
    [shown] = panel.series
    assert (shown.name, shown.times) == ("OK", (1000.0, 1001.0, 1002.0))
    assert str(shown.values) == "(1.0, nan, 2.5)"


@pytest.mark.parametrize(
    ("legend", "name"),
    [("p99", "p99"), ("{{code}}", "5"), ("{{ code }}xx, {{job}}", "5xx, gateway"), ("{{none}}", "")],
)
def test_a_legend_has_the_labels_of_its_series(legend: str, name: str) -> None:
    assert name_series(legend, {"code": "5", "job": "gateway"}) == name


@pytest.mark.parametrize("found", [[], [series("NaN", "NaN", grpc_code="OK")]], ids=["none", "NaN"])
def test_a_query_without_data_is_an_error_that_names_the_panel(found: list[Mapping[str, Any]]) -> None:
    with pytest.raises(EmptyPanelError, match="Requests by status"):
        read(*found)


def test_one_empty_query_of_several_is_an_error() -> None:
    answers = iter([[series("1")], [series("1")], []])
    with pytest.raises(EmptyPanelError, match="Duration of requests, p99"):
        read_panel(panels()[2], lambda _: next(answers))


def test_series_of_zeros_are_left_out_unless_there_is_no_other() -> None:
    ok, aborted = series("0", "3", grpc_code="OK"), series("NaN", "0", grpc_code="Aborted")
    assert [each.name for each in read(aborted, ok).series] == ["OK"]
    assert [each.name for each in read(aborted).series] == ["Aborted"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (150, "reqps", "150 req/s"),
        (0.5, "percentunit", "50%"),
        (0.025, "percentunit", "2.5%"),
        (0.025, "s", "25 ms"),
        (0.0075, "s", "7.5 ms"),
        (1.5, "s", "1.5 s"),
        (0, "s", "0 ms"),
    ],
)
def test_axes_have_units_for_people(value: float, unit: str, text: str) -> None:
    assert humanize(value, unit) == text


def test_every_unit_of_the_dashboard_is_known() -> None:
    for panel in panels():
        humanize(1, panel["fieldConfig"]["defaults"]["unit"])


def test_what_is_bad_has_one_colour_in_all_panels_and_no_two_series_share_one() -> None:
    assert colour_series(["OK", "Unavailable"]) == colour_series(["found", "failed"])
    assert len(set(colour_series(["cached", "shared", "fetched", "null"]))) == 4


def test_the_picture_names_its_panels(tmp_path: Path) -> None:
    shown = Series("OK", (1000.0, 1001.0), (1.0, 2.0))
    drawn = [Panel("one", "reqps", (shown,)), Panel("two", "s", (shown,))]
    draw(tmp_path / "dashboard.png", drawn, [Band("all is well", 1000.0, 1001.0)])
    assert description(tmp_path / "dashboard.png") == ["one", "two"]


def test_the_picture_in_the_documents_has_the_panels_that_there_are() -> None:
    assert description(PICTURE) == [panel["title"] for panel in panels()]
    assert PICTURE.stat().st_size < MAX_BYTES
