"""The REST face of everything together, held against what is written down of it."""

from pathlib import Path
from typing import Any

import pytest
from schemathesis import Case
from schemathesis.specs.openapi.checks import ignored_auth

from tests.support.demo import RunningDemo
from tests.support.golden import Golden
from tests.support.openapi import examples, schema

REPLIES = sorted((Path(__file__).parents[1] / "gateway/golden").glob("*.txt"))


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
def test_a_reply_is_as_written_down(demo: RunningDemo, path: Path) -> None:
    Golden(path).check(demo.url, rewrite=False)


@schema.parametrize()
@examples
def test_it_keeps_to_its_openapi_document(case: Case[Any], demo: RunningDemo) -> None:
    # The demo lets everybody in.
    case.call_and_validate(base_url=demo.url, excluded_checks=[ignored_auth])
