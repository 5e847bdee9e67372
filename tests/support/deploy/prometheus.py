"""Prometheus beside what a test runs, with the project's alerts.

A minute of theirs is a second, and an hour, which is only waited for, five seconds.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from demo.ports import free_port
from demo.readiness import wait_until
from machine.ending import pdeathsig_prefix
from tests.support.callers.rest import ask
from tests.support.deploy.queries import ALERTS
from tests.support.machine.toolchains import set_up_by

Targets = Mapping[str, tuple[str, Sequence[int]]]
"""What to scrape: by job, the path and the ports of this machine."""
# As every 30 s, if a minute is a second.
_SCRAPE_SECONDS = 0.5
_DURATION = re.compile(r"(?<=\[)\d+[mh](?=\])|^\d+[mh]$")
_SECONDS = {"m": 1, "h": 5}


@dataclass(frozen=True)
class Prometheus:
    """One that scrapes."""

    url: str

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        return {each["labels"]["alertname"] for each in self._alerts() if each["state"] == "firing"}

    def is_quiet(self) -> bool:
        """Return whether no alert fires, and none is about to."""
        return not self._alerts()

    def fired_since(self, moment: float) -> set[str]:
        """Return the names of the alerts that have fired since a Unix time, in seconds."""
        since = f"{max(1, round(1000 * (time.time() - moment)))}ms"
        query = f'count by (alertname) (count_over_time(ALERTS{{alertstate="firing"}}[{since}]))'
        return {series["metric"]["alertname"] for series in self.query(query)}

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate an expression of PromQL now; return its series."""
        found: list[dict[str, Any]] = self._get("/api/v1/query", query=expression)["result"]
        return found

    def query_range(self, expression: str, since: float, until: float) -> list[dict[str, Any]]:
        """Evaluate one for each second between two Unix times; return its series."""
        span = {"start": f"{since:.3f}", "end": f"{until:.3f}", "step": "1"}
        found: list[dict[str, Any]] = self._get("/api/v1/query_range", query=expression, **span)[
            "result"
        ]
        return found

    def scrapes(self, targets: Targets) -> bool:
        """Return whether it has read all of the targets."""
        up = {series["metric"]["instance"] for series in self.query("up == 1")}
        return len(up) == sum(len(ports) for _, ports in targets.values())

    def _alerts(self) -> list[dict[str, Any]]:
        alerts: list[dict[str, Any]] = self._get("/api/v1/alerts")["alerts"]
        return alerts

    def _get(self, path: str, **parameters: str) -> dict[str, Any]:
        reply = ask(self.url, "GET", f"{path}?{urlencode(parameters)}")
        assert reply.status == 200, reply.body
        data: dict[str, Any] = json.loads(reply.body)["data"]
        return data


@contextmanager
def prometheus_running(folder: Path, targets: Targets) -> Iterator[Prometheus]:
    """Run one that scrapes the targets while the block lasts; it has read all of them as that begins."""
    set_up_by("scripts/setup_programs", "prometheus")
    (folder / "alerts.yaml").write_text(yaml.safe_dump(_in_seconds(yaml.safe_load(ALERTS.read_text()))))
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(_configuration(targets)))
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*pdeathsig_prefix("TERM"), *command], stderr=output)
    prometheus = Prometheus(f"http://127.0.0.1:{port}")
    try:
        assert wait_until(lambda: _is_ready(prometheus, targets), 60), log.read_text()
        yield prometheus
    finally:
        process.terminate()
        process.wait(60)


def _is_ready(prometheus: Prometheus, targets: Targets) -> bool:
    try:
        return prometheus.scrapes(targets)
    except (OSError, AssertionError):
        return False


def _configuration(targets: Targets) -> dict[str, Any]:
    interval = f"{_SCRAPE_SECONDS * 1000:.0f}ms"
    return {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
        },
        "rule_files": ["alerts.yaml"],
        "scrape_configs": [
            {
                "job_name": job,
                "metrics_path": path,
                "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}],
            }
            for job, (path, ports) in targets.items()
        ],
    }


def _in_seconds(rules: Any) -> Any:
    """Make each minute of the rules' windows a second, and each hour five."""
    if isinstance(rules, dict):
        return {key: _in_seconds(value) for key, value in rules.items()}
    if isinstance(rules, list):
        return [_in_seconds(value) for value in rules]
    if isinstance(rules, str):
        return _DURATION.sub(lambda it: f"{int(it[0][:-1]) * _SECONDS[it[0][-1]]}s", rules)
    return rules
