"""A short drill: no request is wrong, hung or lost, and every fault heals."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.drill.parts import run
from tests.drill.report import table
from tests.support.server.deployments import Deployment

# Parts that do not mind each other share a world, and so its start.
# Embedded, what differs from standalone: all else is the same code behind another port.
_SHORT = [
    ("processes", Deployment.STANDALONE),
    ("clock stream database", Deployment.STANDALONE),
    ("network", Deployment.STANDALONE),
    ("certificate own-certificate introspection", Deployment.STANDALONE),
    ("room", Deployment.STANDALONE),
    ("processes", Deployment.EMBEDDED),
    ("network", Deployment.EMBEDDED),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("parts", "deployment"), _SHORT)
def test_every_request_is_accounted_for(parts: str, deployment: Deployment) -> None:
    results = list(run(*parts.split(), deployment=deployment, quick=True))
    assert not [complaint for each in results for complaint in each.complaints()], table(
        {deployment: results}
    )


def drilled(**environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.drill"]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def test_an_unknown_part_is_refused() -> None:
    ran = drilled(DRILL_ONLY="nobody")
    assert ran.returncode == 1
    assert "DRILL_ONLY: nobody is none of database" in ran.stderr


def test_a_part_whose_needs_are_missing_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "mount").symlink_to("/bin/false")
    ran = drilled(DRILL_ONLY="processes,embedded", PATH=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert "embedded: processes is left out: a tmpfs, which cannot be mounted here" in ran.stderr
