"""The alerts: what fires them, and what they say to whom they wake."""

from pathlib import Path

import pytest
import yaml

from tests.deploy.promtool import promtool
from tests.support.deploy.queries import ALERTS, alerts

SCENARIOS = Path(__file__).with_name("alerts.yaml")
RUNBOOK = ALERTS.parents[2] / "RUNBOOK.md"
NAMES = [alert["alert"] for alert in alerts()]


def test_prometheus_takes_them() -> None:
    assert f"SUCCESS: {len(NAMES)} rules found" in promtool("check", "rules", ALERTS)


def test_they_fire_when_they_should_and_else_not() -> None:
    assert "SUCCESS" in promtool("test", "rules", SCENARIOS)


def test_there_are_few() -> None:
    assert len(NAMES) == len(set(NAMES)) <= 8


@pytest.mark.parametrize("name", NAMES)
def test_each_is_seen_to_fire(name: str) -> None:
    tests = yaml.safe_load(SCENARIOS.read_text())["tests"]
    expected = [
        case
        for test in tests
        for case in test["alert_rule_test"]
        if case["alertname"] == name and case.get("exp_alerts")
    ]
    assert expected


@pytest.mark.parametrize("alert", alerts(), ids=NAMES)
def test_each_has_what_whoever_is_woken_needs(alert: dict[str, dict[str, str]]) -> None:
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    name = str(alert["alert"])
    assert alert["annotations"]["runbook_url"] == f"RUNBOOK.md#{name.lower()}"
    assert f"\n## {name}\n" in RUNBOOK.read_text()


def test_the_runbook_has_no_section_for_an_alert_that_is_gone() -> None:
    headings = [line[3:] for line in RUNBOOK.read_text().splitlines() if line.startswith("## LiveCalls")]
    assert headings == NAMES
