"""Grafana's dashboard: it is what the script makes, and Prometheus can read its queries."""

import json
from pathlib import Path

from scripts.dashboard import build
from tests.deploy.promtool import promtool
from tests.support.deploy.queries import DASHBOARD, panel_queries, panels


def test_it_is_what_make_dashboard_writes() -> None:
    assert DASHBOARD.read_text() == build()


def test_it_is_seen_at_a_glance() -> None:
    assert len(panels()) <= 12
    assert all(panel["title"] and panel["description"] for panel in panels())


def test_prometheus_can_read_its_queries(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": query} for number, query in enumerate(panel_queries())
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"SUCCESS: {len(rules)} rules found" in promtool("check", "rules", file)
