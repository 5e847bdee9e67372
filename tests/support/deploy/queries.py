"""The queries of the alerts and of the dashboard, and the metrics in them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"
DASHBOARD = DEPLOY / "grafana" / "livecalls.json"

_GROUPING = re.compile(r"\b(?:by|ignoring) \([^)]*\)")
_METRIC = re.compile(r"\b(?:envoy|grpc_server|livecalls)_\w+(?!\w|=)")


def alerts() -> list[dict[str, Any]]:
    """Return the alerts, as Prometheus reads them."""
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def panels() -> list[dict[str, Any]]:
    """Return the dashboard's panels, as Grafana reads them."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def panel_queries() -> list[str]:
    """Return the queries of all panels, with what Grafana puts in place of its variables."""
    return [
        fill_in(target["expr"], interval="1m", job="livecalls")
        for panel in panels()
        for target in panel["targets"]
    ]


def fill_in(expression: str, *, interval: str, job: str) -> str:
    """Put a range and a pattern of jobs in place of Grafana's variables."""
    return expression.replace("$__rate_interval", interval).replace("$job", job)


def queries() -> list[str]:
    """Return the queries of alerts and panels."""
    return [alert["expr"] for alert in alerts()] + panel_queries()


def metrics() -> Iterator[str]:
    """Yield the metrics that alerts and panels are about, without the suffixes of a histogram."""
    for query in queries():
        for name in _METRIC.findall(_GROUPING.sub("", query)):
            yield name.removesuffix("_bucket")
