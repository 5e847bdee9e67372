"""A short drill: no request is wrong, hung or lost, and every fault heals."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.drill.parts import PARTS, run
from tests.drill.report import table
from tests.support.server.deployments import Deployment

# Embedded, what differs from standalone: all else is the same code behind another port.
_EMBEDDED = ("processes", "network")
_SHORT = [
    *((part, Deployment.STANDALONE) for part in PARTS if part != "servers"),
    *((part, Deployment.EMBEDDED) for part in _EMBEDDED),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("part", "deployment"), _SHORT)
def test_every_request_is_accounted_for(part: str, deployment: Deployment) -> None:
    results = list(run(part, deployment, quick=True))
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
