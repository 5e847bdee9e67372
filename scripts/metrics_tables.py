"""Writes the tables of metrics in docs/operations/metrics.md, from the metrics themselves.

A table stands behind a line `<!-- metrics: module -->`, and is made anew whenever this runs.
"""

import re
from importlib import import_module
from pathlib import Path

from livecalls.v1 import live_calls_pb2
from prometheus_client import Metric

from server.runtime.metrics import describe_build
from server.transport.metrics import MethodMetrics

DOCUMENT = Path(__file__).parents[1] / "docs" / "operations" / "metrics.md"
TABLE = re.compile(r"^<!-- metrics: (?P<module>[\w.]+) -->\n(?:\|.*\n)*", re.MULTILINE)
_UNITS = {
    "_timestamp_seconds": "seconds since 1970",
    "_seconds": "seconds",
    "_rows": "rows",
}


def main() -> None:
    """Write all of them."""
    DOCUMENT.write_text(fill(DOCUMENT.read_text()))


def fill(text: str) -> str:
    """Return the document with its tables as the metrics are."""
    describe_build()
    for service in live_calls_pb2.DESCRIPTOR.services_by_name.values():
        for method in service.methods:
            MethodMetrics(service.full_name, method.name)
    return TABLE.sub(_table, text)


def metrics(module: str) -> list[Metric]:
    """List the metrics that a module declares, each once: first comes the whole, and then its series."""
    found: dict[str, Metric] = {}
    for value in vars(import_module(module)).values():
        if hasattr(value, "collect") and not isinstance(value, type):
            for metric in value.collect():
                found.setdefault(metric.name, metric)
    return list(found.values())


def name_of(metric: Metric) -> str:
    """Return a metric's name as Prometheus has it."""
    return metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, "")


def _table(match: re.Match[str]) -> str:
    rows = (
        f"| `{name_of(metric)}` | {_kind(metric)} | {_labels(metric)} | {metric.documentation} |"
        for metric in metrics(match["module"])
    )
    marker = match[0].partition("\n")[0]
    return "\n".join([marker, "| metric | type, unit | labels | what |", "|---|---|---|---|", *rows, ""])


def _kind(metric: Metric) -> str:
    unit = next((unit for suffix, unit in _UNITS.items() if metric.name.endswith(suffix)), "")
    type_ = "gauge" if metric.type == "info" else metric.type
    return ", ".join(filter(None, (type_, unit)))


def _labels(metric: Metric) -> str:
    """Write the labels, each with all values that it can have; versions are open."""
    values: dict[str, dict[str, None]] = {}
    for sample in metric.samples:
        for label, value in sample.labels.items():
            values.setdefault(label, {})[value] = None
    values.pop("le", None)
    if metric.type == "info":
        return ", ".join(f"`{label}`" for label in values)
    return "; ".join(
        f"`{label}`: {' '.join(f'`{one}`' for one in all_)}" for label, all_ in values.items()
    )


if __name__ == "__main__":
    main()
