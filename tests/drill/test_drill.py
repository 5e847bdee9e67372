"""A short drill: no request is wrong, hung or lost, and every fault heals."""

import subprocess
import sys

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


def test_an_unknown_part_is_refused() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.drill"],
        env={"DRILL_ONLY": "nobody"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "DRILL_ONLY: nobody is none of database" in ran.stderr
