"""The page on metrics, held against the metrics."""

from pathlib import Path

from prometheus_client import REGISTRY

from scripts.metrics_tables import DOCUMENT, TABLE, fill, metrics, name_of

SERVER = Path(__file__).parents[3] / "server"
OF_THE_LIBRARY = ("python_", "process_")


def test_the_tables_are_what_make_metrics_writes() -> None:
    assert fill(DOCUMENT.read_text()) == DOCUMENT.read_text()


def test_every_module_of_metrics_has_a_table() -> None:
    modules = {
        str(file.relative_to(SERVER.parent).with_suffix("")).replace("/", ".")
        for file in SERVER.rglob("metrics.py")
    }
    assert {match["module"] for match in TABLE.finditer(DOCUMENT.read_text())} == modules


def test_every_metric_is_declared_in_one_of_them() -> None:
    declared = {
        name_of(metric)
        for match in TABLE.finditer(DOCUMENT.read_text())
        for metric in metrics(match["module"])
    }
    ours = {
        name_of(metric) for metric in REGISTRY.collect() if not metric.name.startswith(OF_THE_LIBRARY)
    }
    assert ours == declared
