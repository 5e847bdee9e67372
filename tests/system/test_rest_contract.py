"""The REST face of everything together, held against what is written down of it."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from tests.support.demo import RunningDemo
from tests.support.golden import Golden

ROOT = Path(__file__).parents[2]
REPLIES = sorted((ROOT / "tests/gateway/golden").glob("*.txt"))

schema = schemathesis.openapi.from_path(ROOT / "gateway/openapi.yaml")


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
def test_a_reply_is_as_written_down(demo: RunningDemo, path: Path) -> None:
    Golden(path).check(demo.url, rewrite=False)


@schema.parametrize()
@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    # The service is the same for every example, and so is what it answers.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_it_keeps_to_its_openapi_document(case: Case[Any], demo: RunningDemo) -> None:
    case.call_and_validate(base_url=demo.url)
